//! Programs that a site writes itself, with the lines of the recipes for Go, Java, Python and gRPC.

use std::fs;
use std::process::Command;

use super::{Exported, export, lines};
use crate::support::process::{Server, wait_for};
use crate::support::program::{Place, succeeded};
use crate::support::skip;

const GO_IMPORTS: &str = "\
package main
import (
	\"crypto/tls\"
	\"crypto/x509\"
	\"encoding/pem\"
	\"fmt\"
	\"io\"
	\"log\"
	\"net/http\"
	\"os\"
	\"time\"
)
";

const GO_MAIN: &str = "
func main() {
	if os.Args[1] == \"serve\" {
		page := func(writer http.ResponseWriter, _ *http.Request) { io.WriteString(writer, \"hello\") }
		server := http.Server{Addr: \"127.0.0.1:\" + os.Args[2], Handler: http.HandlerFunc(page), TLSConfig: serverConfig()}
		log.Fatal(server.ListenAndServeTLS(\"\", \"\"))
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: clientConfig()}}
	response, err := client.Get(\"https://localhost:\" + os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, response.Body)
}
";

#[test]
fn a_go_program_runs_with_the_lines_of_its_recipe_as_a_server_and_as_a_client() {
    if !skip::unless_installed(&["go"]) {
        return;
    }
    let exported = Exported::of("go");
    let place = &exported.hierarchy.place;
    let report = export(place, "ca", "alice", "go", "client");
    let program = format!(
        "{GO_IMPORTS}{}\nfunc serverConfig() *tls.Config {{\n{}\nreturn config\n}}\n\
         func clientConfig() *tls.Config {{\n{}\nreturn config\n}}\n{GO_MAIN}",
        exported.lines("a function of the same program"),
        exported.lines("in a server"),
        lines(&report, "in a client")
    );
    fs::write(place.path("program.go"), program).unwrap();
    let mut build = place.command("go");
    build.args(["build", "-o", "program", "program.go"]).env("GO111MODULE", "off");
    build.env("GOCACHE", place.path("go-cache")).env("GOPATH", place.path("go"));
    succeeded("go build", &build.output().unwrap());
    let program = |verb: &str, port: u16| {
        let mut command = place.command(place.path("program"));
        command.args([verb, &port.to_string()]);
        command
    };
    let server = Server::start("go", place, |port| program("serve", port));
    exported.check(&server, "", &[]);
    let client = || program("ask", server.port);
    assert_eq!(succeeded("the client", &client().output().unwrap()), "hello");
    place.done("--dir ca renew localhost");
    assert!(exported.serves_issued_certificate(&server, ""), "{}", server.log());
    check_new_crls(&exported, "go", &|| (), &client, "CN=localhost is revoked");
}

const PYTHON_SERVER: &str = "
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '5')
        self.end_headers()
        self.wfile.write(b'hello')

server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Page)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
";

#[test]
fn a_python_program_runs_with_the_lines_of_its_recipe_as_a_server_and_as_a_client() {
    if !skip::unless_installed(&["python3"]) {
        return;
    }
    let exported = Exported::of("python");
    let place = &exported.hierarchy.place;
    let report = export(place, "ca", "alice", "python", "client");
    let imports = "import http.server, signal, ssl, sys, urllib.request\n";
    let lines_of_server = exported.lines("in a server");
    // SIGHUP makes the server call the two functions again, as the recipe says.
    let again: Vec<_> = lines_of_server.lines().filter(|line| line.contains("context.load_")).collect();
    let again = format!("def again(*_):\n    {}\nsignal.signal(signal.SIGHUP, again)\n", again.join("\n    "));
    fs::write(place.path("server.py"), format!("{imports}{lines_of_server}\n{again}{PYTHON_SERVER}")).unwrap();
    let ask =
        "print(urllib.request.urlopen('https://localhost:' + sys.argv[1], context=context).read().decode(), end='')";
    fs::write(place.path("client.py"), format!("{imports}{}\n{ask}\n", lines(&report, "in a client"))).unwrap();
    let python = |file: &str, port: u16| {
        let mut command = place.command("python3");
        command.args([file, &port.to_string()]);
        command
    };
    let server = Server::start("python", place, |port| python("server.py", port));
    exported.check(&server, "", &[]);
    let client = || python("client.py", server.port);
    assert_eq!(succeeded("the client", &client().output().unwrap()), "hello");
    let reload = || {
        let mut kill = place.command("kill");
        succeeded("kill", &kill.args(["-HUP", &server.id().to_string()]).output().unwrap());
    };
    place.done("--dir ca renew localhost");
    assert!(!exported.serves_issued_certificate(&server, ""), "before the functions are called again");
    reload();
    wait_for("the new certificate", || exported.serves_issued_certificate(&server, "").then_some(()));
    check_new_crls(&exported, "python", &reload, &client, "CERTIFICATE_VERIFY_FAILED");
}

const JAVA_IMPORTS: &str = "\
import com.sun.net.httpserver.*; import java.io.*; import java.net.*; import java.net.http.*; import java.nio.file.*;
import java.security.*; import java.security.cert.*; import java.util.*; import javax.net.ssl.*;
";

/// The lines that make the context, for a server and for a client.
const JAVA_PLACES: [&str; 3] = ["the keys and the roots", "then the CRLs", "then the context"];

#[test]
fn a_java_program_runs_with_the_lines_of_its_recipe_as_a_server_and_as_a_client() {
    if !skip::unless_installed(&["java"]) {
        return;
    }
    let exported = Exported::of("java-program");
    let place = &exported.hierarchy.place;
    let report = export(place, "ca", "alice", "java-program", "client");
    let program = |name: &str, lines: String| {
        let whole = format!(
            "{JAVA_IMPORTS}public class {name} {{ public static void main(String[] words) throws Exception {{\n\
             int port = Integer.parseInt(words[0]);\n{lines}\n}} }}\n"
        );
        fs::write(place.path(format!("{name}.java")), whole).unwrap();
    };
    let context = |report| JAVA_PLACES.map(|part| lines(report, part)).join("\n");
    let serve = "HttpsServer server = HttpsServer.create(new InetSocketAddress(\"127.0.0.1\", port), 0);
        server.setHttpsConfigurator(configurator);
        server.createContext(\"/\", exchange -> {
            exchange.sendResponseHeaders(200, 5);
            exchange.getResponseBody().write(\"hello\".getBytes());
            exchange.close(); });
        server.start();";
    program("Serve", format!("{}\n{}\n{serve}", context(&exported.report), exported.lines("in a server")));
    let ask = "HttpClient client = HttpClient.newBuilder().sslContext(context).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(\"https://localhost:\" + port)).build();
        System.out.print(client.send(request, HttpResponse.BodyHandlers.ofString()).body());";
    program("Ask", format!("{}\n{ask}", context(&report)));
    let java = |name: &str, port: u16| {
        let mut command = place.command("java");
        command.args([&format!("{name}.java"), &port.to_string()]);
        command
    };
    let server = Server::start("java", place, |port| java("Serve", port));
    exported.check(&server, "", &[]);
    let ask = || java("Ask", server.port).output().unwrap();
    assert_eq!(succeeded("Ask.java", &ask()), "hello");
    place.done("--dir ca renew localhost");
    assert!(!exported.serves_issued_certificate(&server, ""), "HttpsServer keeps its context");
    // The server has the certificate of before the renewal.
    revoke(place, "localhost");
    let said = String::from_utf8_lossy(&ask().stderr).into_owned();
    assert!(said.contains("Certificate has been revoked"), "{said}");
}

const GRPC_SERVER: &str = "
def answer(request, context):
    return b'hello'

class Pages(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(answer)

server = grpc.server(concurrent.futures.ThreadPoolExecutor(), handlers=[Pages()])
server.add_secure_port('127.0.0.1:' + sys.argv[1], credentials)
server.start()
server.wait_for_termination()
";

const GRPC_CLIENT: &str = "
channel = grpc.secure_channel('localhost:' + sys.argv[1], credentials)
print(channel.unary_unary('/page/get')(b'', timeout=30).decode(), end='')
";

#[test]
fn a_grpc_program_runs_with_the_lines_of_its_recipe_and_checks_no_crl() {
    let Some(python) = skip::unless_python() else { return };
    if skip::unless_python_package("grpc").is_none() {
        return;
    }
    let exported = Exported::of("grpc");
    let place = &exported.hierarchy.place;
    let imports = "import concurrent.futures, grpc, pathlib, sys\n";
    fs::write(place.path("server.py"), format!("{imports}{}\n{GRPC_SERVER}", exported.lines("in a server"))).unwrap();
    let program = |file: &str, port: u16| {
        let mut command = place.command(&python);
        command.args([file, &port.to_string()]);
        command
    };
    let server = Server::start("grpc", place, |port| program("server.py", port));
    let how = "--protocol none --alpn h2";
    exported.check(&server, how, &["revoked-client"]);
    place.done("--dir ca renew localhost");
    assert!(exported.serves_issued_certificate(&server, ""), "{}", server.log());

    let ask = |dir: &str, name: &str| {
        let folder = format!("client-{dir}-{name}");
        let report = export(place, dir, name, "grpc", &folder);
        if dir != "ca" {
            fs::copy(&exported.hierarchy.root, place.path(&folder).join("roots.pem")).unwrap();
        }
        let text = format!("{imports}{}\n{GRPC_CLIENT}", lines(&report, "in a client"));
        fs::write(place.path("client.py"), text).unwrap();
        program("client.py", server.port).output().unwrap()
    };
    for name in ["alice", "bob"] {
        assert_eq!(succeeded(name, &ask("ca", name)), "hello");
    }
    for (dir, name) in [("ca", "carol"), ("other", "alice")] {
        let refused = ask(dir, name);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("UNAVAILABLE"), "{name} of {dir}: {said}");
    }
}

/// The server has read the CRLs again when its client is revoked. The client reads the CRL of the server, and says so in `own_words`.
fn check_new_crls(exported: &Exported, target: &str, reload: &dyn Fn(), client: &dyn Fn() -> Command, own_words: &str) {
    let place = &exported.hierarchy.place;
    let said = || {
        let output = client().output().unwrap();
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    revoke(place, "alice");
    reload();
    let refused = wait_for("the server's new CRL", said);
    assert!(!refused.contains(own_words), "{refused}");
    // A new CRL gets into the export of a client that is not revoked.
    place.done("--dir ca issue client dave");
    export(place, "ca", "dave", target, "client");
    assert_eq!(said(), None);
    revoke(place, "localhost");
    assert!(said().unwrap().contains(own_words), "the client: {:?}", said());
}

fn revoke(place: &Place, name: &str) {
    place.done(&format!("--dir ca revoke {name} --all"));
    place.done("--dir ca crl --all");
}
