import java.io.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.cert.Certificate;
import java.security.spec.*;
import java.util.*;

/** Writes a PFX as Java does. The second argument: none for an empty password, 0 for NULL, trust for a trust store. */
class Java {
  static Certificate read(String name) throws Exception {
    try (var in = Files.newInputStream(Path.of(System.getProperty("work"), name + ".crt"))) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  public static void main(String[] args) throws Exception {
    String kind = args.length > 1 ? args[1] : "";
    // Java's PKCS12PBECipherCore takes a password of one zero character to be NULL.
    char[] password = kind.equals("0") ? new char[] {0} : new char[0];
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    if (kind.equals("trust")) {
      store.setCertificateEntry("root", read("root"));
      store.setCertificateEntry("intermediate", read("intermediate"));
    } else {
      String pem = Files.readString(Path.of(System.getProperty("work"), "leaf.key")).replaceAll("-----.*?-----|\\s", "");
      PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
      store.setKeyEntry("leaf", key, password, new Certificate[] {read("leaf"), read("intermediate"), read("root")});
    }
    try (var out = new FileOutputStream(args[0])) {
      store.store(out, password);
    }
  }
}
