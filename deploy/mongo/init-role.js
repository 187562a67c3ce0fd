// Run once by the mongo image, as root, when the data folder is empty: the user of the export, who can write one database only.
const served = db.getSiblingDB(process.env.LAKEHOUSE_DATABASE);

served.createRole({
  role: "publisher",
  privileges: [
    {
      resource: { db: served.getName(), collection: "" },
      actions: [
        "find", "insert", "update", "remove",
        "createCollection", "dropCollection", "renameCollectionSameDB",
        "createIndex", "dropIndex",
        "listCollections", "listIndexes", "collStats", "dbStats",
      ],
    },
  ],
  roles: [],
});

served.createUser({
  user: process.env.LAKEHOUSE_USERNAME,
  pwd: process.env.LAKEHOUSE_PASSWORD,
  roles: [{ role: "publisher", db: served.getName() }],
});
