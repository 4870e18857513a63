import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Java's SSLSocket as a TLS peer, and its CertPathValidator as a judge.
 *
 * <pre>
 * server PORT FULLCHAIN KEY ROOT
 * client PORT HOST TLS ROOT [FULLCHAIN KEY]
 * judge  ROOT FULLCHAIN
 * </pre>
 */
public final class Peer {
    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "server" -> server(Integer.parseInt(words[1]), context(words[4], words[2], words[3]));
            case "client" -> {
                boolean known = words.length > 5;
                client(words, context(words[4], known ? words[5] : null, known ? words[6] : null));
            }
            case "judge" -> judge(words[1], words[2]);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static void server(int port, SSLContext context) throws Exception {
        var listener = (SSLServerSocket) context.getServerSocketFactory()
                .createServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
        listener.setNeedClientAuth(true);
        while (true) {
            try (var socket = (SSLSocket) listener.accept()) {
                socket.setSoTimeout(10_000);
                socket.getInputStream().read(new byte[4096]);
                SSLSession session = socket.getSession();
                String answer = "HTTP/1.0 200 OK\r\n\r\nclient=" + session.getPeerPrincipal() + "\n";
                socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
            } catch (java.io.IOException refused) {
                System.err.println(refused);
            }
        }
    }

    private static void client(String[] words, SSLContext context) throws Exception {
        var raw = new java.net.Socket("127.0.0.1", Integer.parseInt(words[1]));
        raw.setSoTimeout(10_000);
        try (var socket = (SSLSocket) context.getSocketFactory().createSocket(raw, words[2], raw.getPort(), true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            parameters.setServerNames(List.of(new SNIHostName(words[2])));
            parameters.setProtocols(new String[] {"TLSv" + words[3]});
            socket.setSSLParameters(parameters);
            OutputStream out = socket.getOutputStream();
            out.write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            out.flush();
            socket.getInputStream().transferTo(System.out);
            System.out.flush();
        }
    }

    private static void judge(String root, String chain) throws Exception {
        var anchor = new TrustAnchor((X509Certificate) certificates(root).iterator().next(), null);
        CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.copyOf(certificates(chain)));
        var parameters = new PKIXParameters(Set.of(anchor));
        parameters.setRevocationEnabled(false);
        CertPathValidator.getInstance("PKIX").validate(path, parameters);
    }

    private static SSLContext context(String root, String chain, String key) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("root", certificates(root).iterator().next());
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        char[] none = new char[0];
        if (chain != null) {
            var path = certificates(chain).toArray(new Certificate[0]);
            own.setKeyEntry("own", privateKey(key, path[0].getPublicKey().getAlgorithm()), none, path);
        }
        var keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, none);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static Collection<? extends Certificate> certificates(String path) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
    }

    private static PrivateKey privateKey(String path, String algorithm) throws Exception {
        String text = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----", "");
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(text)));
    }

    private Peer() {}
}
