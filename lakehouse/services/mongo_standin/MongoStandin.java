import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.Arrays;
import java.util.List;

/** A MongoDB-protocol server in memory on 127.0.0.1:PORT, reporting the wire version (13) that PyMongo 4 asks for. */
public class MongoStandin {
    public static void main(String[] args) throws Exception {
        MemoryBackend backend = new MemoryBackend();
        backend.version(new MongoVersion() {
            public List getVersionArray() { return Arrays.asList(new Integer[] {5, 0, 0, 0}); }
            public String toVersionString() { return "5.0.0"; }
            public int getWireVersion() { return 13; }
        });
        try {
            new MongoServer(backend).bind("127.0.0.1", Integer.parseInt(args[0]));
        } catch (Exception failure) {
            // Netty's threads would keep the process alive with no port open.
            System.err.println("mongo stand-in cannot listen on 127.0.0.1:" + args[0] + ": " + failure);
            System.exit(1);
        }
        System.out.println("mongo stand-in listening on 127.0.0.1:" + args[0]);
        Thread.currentThread().join();
    }
}
