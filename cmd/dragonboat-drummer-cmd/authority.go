// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/role"
)

const (
	// caName is that of the CA's files.
	caName = "ca"
	caLife = 10 * 365 * 24 * time.Hour
	// clockSkew is how far the clocks of those who use a certificate may be behind.
	clockSkew = time.Hour
)

// authority is a CA in a directory.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// openAuthority reads the CA of a directory, and makes it when there is none.
func openAuthority(dir string, now time.Time) (a *authority, made bool, err error) {
	certFile, keyFile := filepath.Join(dir, caName+".pem"), filepath.Join(dir, caName+"-key.pem")
	_, certErr := os.Stat(certFile)
	_, keyErr := os.Stat(keyFile)
	if errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist) {
		a, err := newAuthority(dir, now)
		return a, true, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, false, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	switch {
	case !ok:
		return nil, false, fmt.Errorf("%s holds no key that signs", keyFile)
	case !pair.Leaf.IsCA:
		return nil, false, fmt.Errorf("%s is no CA's certificate", certFile)
	case now.After(pair.Leaf.NotAfter):
		return nil, false, fmt.Errorf("%s was valid until %v", certFile, pair.Leaf.NotAfter)
	}
	return &authority{pair.Leaf, key}, false, nil
}

func newAuthority(dir string, now time.Time) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificate("Drumbeat CA", now, caLife)
	if err != nil {
		return nil, err
	}
	template.KeyUsage, template.BasicConstraintsValid, template.IsCA = x509.KeyUsageCertSign, true, true
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert, key}, writePair(dir, caName, der, key)
}

// issue makes a certificate, and writes it and its key. It returns when the
// certificate ends.
func (a *authority) issue(dir string, id role.Identity, hosts []string, life time.Duration) (until time.Time, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return until, err
	}
	leaf, err := certificate(id.Name, time.Now(), life)
	if err != nil {
		return until, err
	}
	if leaf.NotAfter.After(a.cert.NotAfter) {
		leaf.NotAfter = a.cert.NotAfter
	}
	leaf.URIs = []*url.URL{id.URI()}
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if id.Role.Serves() {
		leaf.ExtKeyUsage = append(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return until, err
	}
	return leaf.NotAfter, writePair(dir, id.Name, der, key)
}

// certificate is what every certificate begins with.
func certificate(name string, now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(life),
	}, nil
}

// writePair writes a certificate and its key, each at once: who reads them again finds
// the former file or the new one.
func writePair(dir, name string, certDER []byte, key *ecdsa.PrivateKey) error {
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name, kind string
		der        []byte
	}{{name + "-key.pem", "PRIVATE KEY", keyDER}, {name + ".pem", "CERTIFICATE", certDER}} {
		path := filepath.Join(dir, file.name)
		data := pem.EncodeToMemory(&pem.Block{Type: file.kind, Bytes: file.der})
		if err := os.WriteFile(path+".new", data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}
