//! Envoy, a proxy. It watches the files of its recipe.

use std::fs;

use super::Exported;
use crate::support::process::{Server, wait_for};
use crate::support::skip;

const LISTENER: &str = r#"
static_resources:
  listeners:
  - address: { socket_address: { address: 127.0.0.1, port_value: PORT } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: page
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: { prefix: "/" }
                direct_response: { status: 200, body: { inline_string: hello } }
"#;

#[test]
fn envoy_runs_with_the_lines_of_its_recipe_and_uses_new_files_and_crls_at_once() {
    let Some(envoy) = skip::unless_python_program("envoy") else { return };
    let exported = Exported::of("envoy");
    let place = &exported.hierarchy.place;
    let top = place.path("").display().to_string();
    for name in ["sds-certificate.yaml", "sds-clients.yaml"] {
        fs::write(place.path(name), exported.lines(name)).unwrap();
    }
    let server = Server::start("envoy", place, |port| {
        let lines = exported.lines("in the filter chain").replace("/etc/envoy/", &top);
        let lines: String = lines.lines().map(|line| format!("      {line}\n")).collect();
        let node = exported.lines("at the top of envoy.yaml");
        let configuration = format!("{node}\n{}{lines}", LISTENER.replace("PORT", &port.to_string()));
        fs::write(place.path("envoy.yaml"), configuration).unwrap();
        let mut command = exported.command(&envoy);
        command.arg("-c").arg(place.path("envoy.yaml"));
        command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]);
        command
    });
    exported.check(&server, "", &[]);
    if skip::unless_installed(&["curl"]) {
        exported.check_client("curl", server.port, "hello");
    }
    assert!(exported.report["reload_command"].is_null());
    place.done("--dir ca renew localhost");
    wait_for("the new certificate", || exported.serves_issued_certificate(&server, "").then_some(()));

    let words = format!(
        "--dir ca handshake-test --connect 127.0.0.1:{} --hostname localhost --client alice --no-refusals --no-revocation",
        server.port
    );
    let is_accepted = || place.ca(&words).output().unwrap().status.success();
    assert!(is_accepted(), "{}", server.log());
    place.done("--dir ca revoke alice --reason key-compromise --crl");
    wait_for("the refusal of a client that is revoked now", || (!is_accepted()).then_some(()));
}
