// Node's tls module as the client of everyday chains: a list has lines with ID, PORT, HOST and the file of the roots. Prints
// "ID yes|no REASON" for each.

'use strict';
const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');

function ask([number, port, host, roots]) {
  return new Promise((done) => {
    const say = (word, reason) => {
      console.log(`${number} ${word} ${reason}`);
      done();
    };
    const options = { host: '127.0.0.1', port: Number(port), ca: fs.readFileSync(roots), timeout: 10000 };
    if (net.isIP(host)) options.host = host;
    else options.servername = host;
    let socket;
    try {
      socket = tls.connect(options, () => {
        say('yes', '');
        socket.destroy();
      });
      socket.on('error', (error) => say('no', error.code || error.message));
    } catch (error) {
      say('no', error.message);
    }
  });
}

(async () => {
  for (const line of fs.readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean)) await ask(line.split('\t'));
})();
