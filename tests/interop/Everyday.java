import java.io.FileInputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Java's SSLSocket as the client of everyday chains: a list has lines with ID, PORT, HOST and the file of the roots. Prints "ID yes|no
 * REASON" for each.
 */
public final class Everyday {
    public static void main(String[] words) throws Exception {
        for (String line : Files.readAllLines(Path.of(words[0]))) {
            String[] field = line.split("\t");
            try {
                ask(Integer.parseInt(field[1]), field[2], field[3]);
                System.out.println(field[0] + " yes");
            } catch (Exception refused) {
                Throwable cause = refused;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                System.out.println(field[0] + " no " + String.valueOf(cause).replaceAll("\\s+", " "));
            }
        }
    }

    private static void ask(int port, String host, String roots) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var input = new FileInputStream(roots)) {
            int number = 0;
            for (var root : CertificateFactory.getInstance("X.509").generateCertificates(input)) {
                trusted.setCertificateEntry("root" + number++, root);
            }
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        var raw = new Socket("127.0.0.1", port);
        raw.setSoTimeout(10_000);
        try (var socket = (SSLSocket) context.getSocketFactory().createSocket(raw, host, port, true)) {
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
        }
    }
}
