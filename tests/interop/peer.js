// Node's tls module as a TLS peer and as a judge.
//
// server PORT FULLCHAIN KEY ROOT
// client PORT HOST TLS ROOT [FULLCHAIN KEY]
// judge  HOST ROOT CERT [INTERMEDIATE...]

'use strict';
const { X509Certificate } = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');

const [role, ...rest] = process.argv.slice(2);
const read = (path) => (path ? fs.readFileSync(path) : undefined);

function server(port, chain, key, root) {
  const options = { cert: read(chain), key: read(key), ca: read(root), requestCert: true, rejectUnauthorized: true };
  https
    .createServer(options, (request, response) => {
      response.end(`client=${request.socket.getPeerCertificate().subject.CN}\n`);
    })
    .on('tlsClientError', () => {})
    .listen(Number(port), '127.0.0.1');
}

function client(port, host, version, root, chain, key) {
  const tls = `TLSv${version}`;
  const options = {
    host: '127.0.0.1', port: Number(port), servername: host, agent: false, ca: read(root), cert: read(chain),
    key: read(key), minVersion: tls, maxVersion: tls, timeout: 10000,
  };
  https
    .get(options, (response) => {
      process.stdout.write(`HTTP/${response.httpVersion} ${response.statusCode}\n`);
      response.pipe(process.stdout);
    })
    .on('error', (error) => {
      console.error(error.message);
      process.exitCode = 1;
    });
}

function judge(host, root, ...certificates) {
  const chain = [...certificates, root].map((path) => new X509Certificate(read(path)));
  if (host !== '-' && chain[0].checkHost(host) === undefined) throw new Error(`not for ${host}`);
  for (let at = 0; at < chain.length; at += 1) {
    const issuer = chain[Math.min(at + 1, chain.length - 1)];
    if (!chain[at].checkIssued(issuer)) throw new Error(`certificate ${at} was not issued by the next`);
    if (!chain[at].verify(issuer.publicKey)) throw new Error(`the signature of certificate ${at} is wrong`);
  }
}

({ server, client, judge })[role](...rest);
