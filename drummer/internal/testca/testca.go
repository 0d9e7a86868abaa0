// SPDX-License-Identifier: Apache-2.0

// Package testca makes certificates for tests, each with the role of its bearer. It is
// apart from testkit, which tests of package rpc use from within.
package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// CA signs certificates for a test. It is made on the test's own clock.
type CA struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	Pool *x509.CertPool
}

// New makes a certificate authority.
func New(t testing.TB) *CA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &CA{t: t, cert: cert, key: key, Pool: pool}
}

// Configs returns both sides of mutual TLS with one certificate, which bears an identity
// (one without a role: none) and is valid for the server names.
func (ca *CA) Configs(id role.Identity, names ...string) (server *tls.Config, client rpc.TLSFunc) {
	ca.t.Helper()
	der, key := ca.issue(id, names)
	certs := []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	server = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: certs, ClientCAs: ca.Pool, ClientAuth: tls.RequireAndVerifyClientCert}
	return server, rpc.StaticTLS(&tls.Config{MinVersion: tls.VersionTLS13, Certificates: certs, RootCAs: ca.Pool})
}

// WriteFiles writes such a certificate, and all that belongs to it, to files in a new
// directory.
func (ca *CA) WriteFiles(dir string, id role.Identity, names ...string) rpc.TLSFiles {
	ca.t.Helper()
	der, key := ca.issue(id, names)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(ca.t, err)
	must(ca.t, os.MkdirAll(dir, 0o700))
	files := rpc.TLSFiles{CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{
		files.CA:   {Type: "CERTIFICATE", Bytes: ca.cert.Raw},
		files.Cert: {Type: "CERTIFICATE", Bytes: der},
		files.Key:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		must(ca.t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	}
	return files
}

// issue signs a certificate.
func (ca *CA) issue(id role.Identity, names []string) (der []byte, key *ecdsa.PrivateKey) {
	ca.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(ca.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: id.Name}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if id.Role != "" {
		template.URIs = []*url.URL{id.URI()}
	}
	der, err = x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	must(ca.t, err)
	return der, key
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
