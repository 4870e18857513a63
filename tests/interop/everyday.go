// Go's crypto/tls as the client of everyday chains: a list has lines with ID, PORT, HOST and the file of the roots. Prints
// "ID yes|no REASON" for each, and the version of Go first.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func ask(port, host, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("the root cannot be read")
	}
	// A chain of another time is judged at that time.
	clock := time.Now
	if at, err := strconv.ParseInt(os.Getenv("CA_TEST_AT"), 10, 64); err == nil {
		clock = func() time.Time { return time.Unix(at, 0) }
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	connection, err := tls.DialWithDialer(dialer, "tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: roots, ServerName: host, Time: clock})
	if err != nil {
		return err
	}
	return connection.Close()
}

func main() {
	fmt.Println(strings.TrimPrefix(runtime.Version(), "go"))
	list, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		field := strings.Split(lines.Text(), "\t")
		if err := ask(field[1], field[2], field[3]); err != nil {
			fmt.Println(field[0], "no", strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Println(field[0], "yes")
		}
	}
}
