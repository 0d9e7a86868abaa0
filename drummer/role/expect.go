// SPDX-License-Identifier: Apache-2.0

package role

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Expect makes a client's side of TLS talk only to whoever bears the role: the bearer
// of another certificate of the same CA can't pass itself off as a Drummer server, or
// as a NodeHost, at an address that its certificate is good for. Nil stays nil.
func Expect(role Role, next rpc.TLSFunc) rpc.TLSFunc {
	if next == nil {
		return nil
	}
	return func() *tls.Config { return requiring(role, next()) }
}

// Demand makes a server's side of TLS let in only whoever bears the role, for ports
// that no Guard stands before. Nil stays nil.
func Demand(role Role, conf *tls.Config) *tls.Config {
	if conf == nil {
		return nil
	}
	out := requiring(role, conf)
	if next := conf.GetConfigForClient; next != nil {
		out.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			conf, err := next(hello)
			if err != nil || conf == nil {
				return conf, err
			}
			return requiring(role, conf), nil
		}
	}
	return out
}

// requiring is a configuration under which a connection stands only when its other side
// bears the role.
func requiring(role Role, conf *tls.Config) *tls.Config {
	conf = conf.Clone()
	before := conf.VerifyConnection
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		if before != nil {
			if err := before(state); err != nil {
				return err
			}
		}
		return verify(role, state)
	}
	return conf
}

func verify(role Role, state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the other side has shown no certificate")
	}
	id, err := Of(state.PeerCertificates[0])
	if err == nil && id.Role != role {
		err = fmt.Errorf("the certificate %q bears the role %s, and a %s is expected here", id.Name, id.Role, role)
	}
	return err
}

// SpeaksFor returns an error unless a certificate is that of the NodeHost at a
// RaftAddress.
func SpeaksFor(cert *x509.Certificate, raftAddress string) error {
	id, err := Of(cert)
	if err == nil && (id.Role != NodeHost || id.RaftAddress != raftAddress) {
		err = fmt.Errorf("the certificate %q, of the role %s, is for the NodeHost at %q, and its bearer speaks as the one at %q", id.Name, id.Role, id.RaftAddress, shorten(raftAddress))
	}
	return err
}

// Bears returns what a process accepts as its own certificate: one of a role and, for a
// nodehost, of its RaftAddress. With another one everybody would refuse it.
func Bears(role Role, raftAddress string) func(*x509.Certificate) error {
	return func(cert *x509.Certificate) error {
		id, err := Of(cert)
		switch {
		case err != nil:
			return err
		case id.Role != role:
			return fmt.Errorf("the certificate %q bears the role %s, and a %s needs one of its own role", id.Name, id.Role, role)
		case id.RaftAddress != raftAddress:
			return fmt.Errorf("the certificate %q is for the NodeHost at %q, and this one is at %q", id.Name, id.RaftAddress, raftAddress)
		}
		return nil
	}
}
