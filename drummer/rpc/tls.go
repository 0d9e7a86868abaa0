// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// rereadInterval is how often files are looked at again.
const rereadInterval = 5 * time.Second

// TLSFiles names the three PEM files of mutual TLS. Either all are set or none.
type TLSFiles struct {
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Empty reports whether no file is named, which means plain text.
func (f TLSFiles) Empty() bool { return f == TLSFiles{} }

// Certificates are the files of mutual TLS as they were last read. Both sides present
// the certificate and both require the other's to be signed by the CA: there is no
// one-sided TLS here, because whoever may talk to Drummer may move data.
// A nil one stands for plain text. It is safe for concurrent use.
type Certificates struct {
	files   TLSFiles
	accept  func(*x509.Certificate) error
	current atomic.Pointer[loaded]
}

// loaded is what the files said at one time.
type loaded struct {
	content        [3][]byte // of the files, in the order of TLSFiles
	server, client *tls.Config
	leaf           *x509.Certificate
}

// Load reads the files. It returns nil when none is named. Accept, which may be nil,
// returns why a certificate is not good for this process.
func (f TLSFiles) Load(accept func(*x509.Certificate) error) (*Certificates, error) {
	if f.Empty() {
		return nil, nil
	}
	if f.CA == "" || f.Cert == "" || f.Key == "" {
		return nil, fmt.Errorf("mutual TLS needs a CA, a certificate and a key file, have ca %q, cert %q, key %q", f.CA, f.Cert, f.Key)
	}
	content, err := f.read()
	if err != nil {
		return nil, err
	}
	first, err := f.parse(content, accept)
	if err != nil {
		return nil, err
	}
	c := &Certificates{files: f, accept: accept}
	c.current.Store(first)
	return c, nil
}

func (f TLSFiles) read() (content [3][]byte, err error) {
	for i, file := range []struct{ name, path string }{{"CA", f.CA}, {"certificate", f.Cert}, {"key", f.Key}} {
		if content[i], err = os.ReadFile(file.path); err != nil {
			return content, fmt.Errorf("the %s file can't be read: %w", file.name, err)
		}
	}
	return content, nil
}

// parse makes both sides of TLS, if the other side could take the certificate.
func (f TLSFiles) parse(content [3][]byte, accept func(*x509.Certificate) error) (*loaded, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content[0]) {
		return nil, fmt.Errorf("the CA file %s holds no PEM certificate", f.CA)
	}
	cert, err := tls.X509KeyPair(content[1], content[2])
	if err != nil {
		return nil, fmt.Errorf("the certificate %s and key %s can't be loaded: %w", f.Cert, f.Key, err)
	}
	if err := verify(pool, &cert); err != nil {
		return nil, fmt.Errorf("the certificate %s is no good with the CA file %s: %w", f.Cert, f.CA, err)
	}
	if accept != nil {
		if err := accept(cert.Leaf); err != nil {
			return nil, fmt.Errorf("the certificate %s can't be used here: %w", f.Cert, err)
		}
	}
	certs := []tls.Certificate{cert}
	return &loaded{
		content: content,
		leaf:    cert.Leaf,
		server: &tls.Config{
			MinVersion:   tls.VersionTLS13,
			Certificates: certs,
			ClientCAs:    pool,
			ClientAuth:   tls.RequireAndVerifyClientCert,
			// Each connection is judged by the CA as it is then.
			SessionTicketsDisabled: true,
		},
		client: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: certs, RootCAs: pool},
	}, nil
}

// verify returns why nobody who has the CA would take a certificate, now.
func verify(pool *x509.CertPool, cert *tls.Certificate) error {
	between := x509.NewCertPool()
	for _, der := range cert.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		between.AddCert(c)
	}
	_, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// Server is the server's side of mutual TLS: each connection that comes is served with
// the files as last read. Nil for plain text.
func (c *Certificates) Server() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load().server, nil },
	}
}

// Client is the client's side, likewise.
func (c *Certificates) Client() TLSFunc {
	if c == nil {
		return nil
	}
	return func() *tls.Config { return c.current.Load().client }
}

// Follow reads the files again when they change, until ctx ends. New connections use
// what is new; those that stand go on. Files that can't be used are reported once, and
// the former ones kept until there are better ones.
func (c *Certificates) Follow(ctx context.Context, log *slog.Logger) {
	if c == nil {
		return
	}
	ticker := time.NewTicker(rereadInterval)
	defer ticker.Stop()
	said := ""
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		changed, err := c.reread()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			log.Error("the files of TLS have changed and can't be used; the former ones are kept", "error", err, "former-valid-until", c.current.Load().leaf.NotAfter)
		case err == nil:
			said = ""
		}
		if changed {
			leaf := c.current.Load().leaf
			log.Info("the files of TLS were read again", "name", leaf.Subject.CommonName, "serial", leaf.SerialNumber, "valid-until", leaf.NotAfter)
		}
	}
}

// reread takes over what the files say, if it is new and can be used.
func (c *Certificates) reread() (changed bool, err error) {
	content, err := c.files.read()
	if err != nil {
		return false, err
	}
	if slices.EqualFunc(content[:], c.current.Load().content[:], slices.Equal[[]byte]) {
		return false, nil
	}
	next, err := c.files.parse(content, c.accept)
	if err != nil {
		return false, err
	}
	c.current.Store(next)
	return true, nil
}
