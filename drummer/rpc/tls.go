// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLSFiles names the three PEM files of mutual TLS. Either all are set or none.
type TLSFiles struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Empty reports whether no file is named, which means plain text.
func (f TLSFiles) Empty() bool { return f == TLSFiles{} }

// Load reads the files. Both sides present the certificate and both require
// the other's to be signed by the CA: there is no one-sided TLS here, because
// whoever may talk to Drummer may move data.
// It returns nil configurations for empty files.
func (f TLSFiles) Load() (server, client *tls.Config, err error) {
	if f.Empty() {
		return nil, nil, nil
	}
	if f.CA == "" || f.Cert == "" || f.Key == "" {
		return nil, nil, fmt.Errorf("mutual TLS needs a CA, a certificate and a key file, have ca %q, cert %q, key %q", f.CA, f.Cert, f.Key)
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, nil, fmt.Errorf("the CA file can't be read: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("the CA file %s holds no PEM certificate", f.CA)
	}
	cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("the certificate %s and key %s can't be loaded: %w", f.Cert, f.Key, err)
	}
	certs := []tls.Certificate{cert}
	server = &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: certs,
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
	client = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: certs, RootCAs: pool}
	return server, client, nil
}
