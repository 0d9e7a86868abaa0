// SPDX-License-Identifier: Apache-2.0

package role

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// The parts of the URI in a certificate: drumbeat://role/ROLE?KEY=VALUE.
const (
	scheme          = "drumbeat"
	host            = "role"
	keyRaftAddress  = "raft_address"
	keyNodeHostID   = "nodehost_id"
	keyClusters     = "clusters"
	maxURIBytes     = 32 << 10
	maxShownOfNames = 128 // bytes of a common name in logs and errors
)

// Identity is who a certificate says that its bearer is.
type Identity struct {
	// Name is the certificate's common name. It is for people: nothing is decided by it.
	Name string
	Role Role
	// RaftAddress is the one that a nodehost speaks for. NodeHostID, where it is not
	// empty, binds it to one disk, too.
	RaftAddress string
	NodeHostID  string
	// Clusters are those that an application may use.
	Clusters Clusters
}

// URI is how a certificate says it.
func (i Identity) URI() *url.URL {
	query := url.Values{}
	for key, value := range map[string]string{keyRaftAddress: i.RaftAddress, keyNodeHostID: i.NodeHostID, keyClusters: i.Clusters.String()} {
		if value != "" {
			query.Set(key, value)
		}
	}
	return &url.URL{Scheme: scheme, Host: host, Path: "/" + string(i.Role), RawQuery: query.Encode()}
}

// Check returns why nobody can be this.
func (i Identity) Check() error {
	switch {
	case !i.Role.known():
		return fmt.Errorf("there is no role %q; the roles are %s", i.Role, roleNames())
	case i.Role == NodeHost && i.RaftAddress == "":
		return errors.New("the role nodehost needs the RaftAddress that it speaks for")
	case i.Role != NodeHost && i.RaftAddress+i.NodeHostID != "":
		return fmt.Errorf("the role %s has no %s and no %s, which are for the role nodehost", i.Role, keyRaftAddress, keyNodeHostID)
	case i.Role == Application && i.Clusters.String() == "":
		return fmt.Errorf("the role application needs the clusters that it may use: IDs and ranges, or %q", allClusters)
	case i.Role != Application && i.Clusters.String() != "":
		return fmt.Errorf("the role %s has no clusters, which are for the role application", i.Role)
	}
	return nil
}

func roleNames() string {
	names := make([]string, len(Roles))
	for i, r := range Roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

// Of reads the identity that a certificate bears. With an error it has what is to be
// said of the bearer, and the role None.
func Of(cert *x509.Certificate) (Identity, error) {
	nobody := Identity{Name: shorten(cert.Subject.CommonName), Role: None}
	own := slices.DeleteFunc(slices.Clone(cert.URIs), func(u *url.URL) bool { return u.Scheme != scheme })
	switch len(own) {
	case 0:
		return nobody, fmt.Errorf("the certificate %q bears no role, and without one nothing is allowed. If it was made before there were roles, make new ones "+
			"with `dragonboat-drummer-cmd certs`; 'Roles' in docs/operating-drummer.md has the way there", nobody.Name)
	case 1:
	default:
		return nobody, fmt.Errorf("the certificate %q bears %d roles, one is allowed", nobody.Name, len(own))
	}
	id, err := parse(own[0])
	if err != nil {
		return nobody, fmt.Errorf("the role of the certificate %q can't be read: %w", nobody.Name, err)
	}
	id.Name = nobody.Name
	return id, nil
}

// parse reads what URI has written. What it doesn't know is an error: it may have been
// meant to forbid something.
func parse(u *url.URL) (Identity, error) {
	text := u.String()
	if len(text) > maxURIBytes {
		return Identity{}, fmt.Errorf("it has %d bytes, %d are allowed", len(text), maxURIBytes)
	}
	name, ok := strings.CutPrefix(u.Path, "/")
	if !ok || u.Host != host || u.User != nil || u.Fragment != "" {
		return Identity{}, fmt.Errorf("%q is not %s://%s/ROLE?KEY=VALUE", shorten(text), scheme, host)
	}
	id := Identity{Role: Role(name)}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Identity{}, err
	}
	for key, values := range query {
		if len(values) != 1 || values[0] == "" {
			return Identity{}, fmt.Errorf("%q has %d values, it must have one", shorten(key), len(values))
		}
		switch key {
		case keyRaftAddress:
			id.RaftAddress = values[0]
		case keyNodeHostID:
			id.NodeHostID = values[0]
		case keyClusters:
			if id.Clusters, err = ParseClusters(values[0]); err != nil {
				return Identity{}, err
			}
		default:
			return Identity{}, fmt.Errorf("this version does not know what %q means", shorten(key))
		}
	}
	return id, id.Check()
}

// shorten bounds a name that somebody else has chosen.
func shorten(name string) string {
	if len(name) <= maxShownOfNames {
		return name
	}
	return strings.ToValidUTF8(name[:maxShownOfNames], "") + "…"
}
