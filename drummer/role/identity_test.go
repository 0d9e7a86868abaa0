// SPDX-License-Identifier: Apache-2.0

package role

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func bearing(t testing.TB, uris ...string) *x509.Certificate {
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "somebody"}}
	for _, text := range uris {
		u, err := url.Parse(text)
		require.NoError(t, err)
		cert.URIs = append(cert.URIs, u)
	}
	return cert
}

func TestIdentitiesAreReadAsTheyAreWritten(t *testing.T) {
	some, err := ParseClusters("1-6,9")
	require.NoError(t, err)
	for _, id := range []Identity{
		{Role: Server}, {Role: Operator}, {Role: Reader},
		{Role: NodeHost, RaftAddress: "10.0.0.1:27301"},
		{Role: NodeHost, RaftAddress: "[::1]:1", NodeHostID: "nhid-7"},
		{Role: Application, Clusters: some},
		{Role: Application, Clusters: Clusters{all: true}},
	} {
		got, err := Of(bearing(t, "https://example.com/other", id.URI().String()))
		require.NoError(t, err, "%v", id.URI())
		id.Name = "somebody"
		require.Equal(t, id, got)
	}
	require.Equal(t, "drumbeat://role/application?clusters=1-6%2C9", Identity{Role: Application, Clusters: some}.URI().String())
	got, err := Of(bearing(t, "drumbeat://role/application?clusters=1-6,9"))
	require.NoError(t, err, "as people write it")
	require.Equal(t, some, got.Clusters)
}

func TestWhatIsNotUnderstoodIsNoRole(t *testing.T) {
	for text, why := range map[string]string{
		"":                                                           "bears no role",
		"https://role/operator":                                      "bears no role",
		"drumbeat://role/":                                           `no role ""`,
		"drumbeat://role/king":                                       `no role "king"`,
		"drumbeat://role/none":                                       `no role "none"`,
		"drumbeat://rule/reader":                                     "is not drumbeat://role/ROLE",
		"drumbeat:operator":                                          "is not drumbeat://role/ROLE",
		"drumbeat://u@role/operator":                                 "is not drumbeat://role/ROLE",
		"drumbeat://role/operator#x":                                 "is not drumbeat://role/ROLE",
		"drumbeat://role/operator/":                                  `no role "operator/"`,
		"drumbeat://role/operator?until=noon":                        `does not know what "until" means`,
		"drumbeat://role/operator?clusters=1":                        "has no clusters",
		"drumbeat://role/reader?raft_address=a:1":                    "has no raft_address",
		"drumbeat://role/nodehost":                                   "needs the RaftAddress",
		"drumbeat://role/nodehost?raft_address=":                     "must have one",
		"drumbeat://role/nodehost?raft_address=a:1&clusters=all":     "has no clusters",
		"drumbeat://role/nodehost?raft_address=a:1&raft_address=b:1": "has 2 values",
		"drumbeat://role/application":                                "needs the clusters",
		"drumbeat://role/application?clusters=0":                     "they are IDs and ranges",
		"drumbeat://role/application?clusters=6-1":                   "they are IDs and ranges",
		"drumbeat://role/application?clusters=1,,2":                  "they are IDs and ranges",
		"drumbeat://role/application?clusters=all,1":                 "they are IDs and ranges",
		"drumbeat://role/application?clusters=%zz":                   "invalid URL escape",
		"drumbeat://role/operator?" + strings.Repeat("x", 40_000):    "bytes",
		"drumbeat://role/application?clusters=1" + strings.Repeat(",1", maxRanges): "too many",
	} {
		id, err := Of(bearing(t, text))
		require.ErrorContains(t, err, why, text)
		require.Equal(t, Identity{Name: "somebody", Role: None}, id, text)
	}
	_, err := Of(bearing(t, "drumbeat://role/reader", "drumbeat://role/operator"))
	require.ErrorContains(t, err, "bears 2 roles")
}

func TestClusters(t *testing.T) {
	c, err := ParseClusters("3,5-7")
	require.NoError(t, err)
	for id, want := range map[uint64]bool{0: false, 2: false, 3: true, 4: false, 5: true, 7: true, 8: false} {
		require.Equal(t, want, c.Has(id), "%d", id)
	}
	require.False(t, Clusters{}.Has(1))
	require.True(t, Clusters{all: true}.Has(1))
}

// FuzzIdentity: whatever URI a certificate bears, it is understood whole or not at
// all, and what is understood can be written again.
func FuzzIdentity(f *testing.F) {
	f.Add("drumbeat://role/operator")
	f.Add("drumbeat://role/nodehost?raft_address=a:1&nodehost_id=b")
	f.Add("drumbeat://role/application?clusters=1-6,9")
	f.Add("drumbeat:role?%zz")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		id, err := Of(&x509.Certificate{URIs: []*url.URL{u}})
		if err != nil {
			require.Equal(t, None, id.Role)
			return
		}
		require.NoError(t, id.Check())
		again, err := Of(&x509.Certificate{URIs: []*url.URL{id.URI()}})
		require.NoError(t, err)
		require.Equal(t, id, again)
	})
}
