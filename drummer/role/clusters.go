// SPDX-License-Identifier: Apache-2.0

package role

import (
	"fmt"
	"strconv"
	"strings"
)

// allClusters is how a certificate says that it is for every cluster.
const allClusters = "all"

// Clusters are the Raft clusters that an application may use. The zero value has
// none.
type Clusters struct {
	all    bool
	ranges []clusterRange
}

type clusterRange struct{ first, last uint64 }

// maxRanges bounds the ranges of one certificate: each call looks through them.
const maxRanges = 1000

// ParseClusters reads IDs and ranges of them, as 7, 1-6 or 1-6,9, or 'all'.
func ParseClusters(text string) (Clusters, error) {
	if text == allClusters {
		return Clusters{all: true}, nil
	}
	var c Clusters
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 64)
		last, err2 := strconv.ParseUint(to, 10, 64)
		if err != nil || err2 != nil || first == 0 || last < first {
			return Clusters{}, fmt.Errorf("clusters are %q; they are IDs and ranges, as 7, 1-6 or 1-6,9, or %q", text, allClusters)
		}
		c.ranges = append(c.ranges, clusterRange{first, last})
	}
	if len(c.ranges) > maxRanges {
		return Clusters{}, fmt.Errorf("%d ranges of clusters are too many for a certificate, %d are allowed", len(c.ranges), maxRanges)
	}
	return c, nil
}

// Has reports whether a cluster is among them.
func (c Clusters) Has(id uint64) bool {
	for _, r := range c.ranges {
		if r.first <= id && id <= r.last {
			return true
		}
	}
	return c.all
}

// String is what ParseClusters reads; "" for none.
func (c Clusters) String() string {
	if c.all {
		return allClusters
	}
	parts := make([]string, len(c.ranges))
	for i, r := range c.ranges {
		parts[i] = strconv.FormatUint(r.first, 10)
		if r.last != r.first {
			parts[i] += "-" + strconv.FormatUint(r.last, 10)
		}
	}
	return strings.Join(parts, ",")
}
