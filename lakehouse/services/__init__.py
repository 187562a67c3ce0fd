"""The local services: HDFS, the Hive metastore, the Spark Thrift server, the MongoDB stand-in."""
