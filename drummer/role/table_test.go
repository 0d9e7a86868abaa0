// SPDX-License-Identifier: Apache-2.0

package role

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// methods are those of all services of package drummerpb, as gRPC names them.
func methods() map[string]protoreflect.MethodDescriptor {
	out := map[string]protoreflect.MethodDescriptor{}
	for _, file := range []protoreflect.FileDescriptor{pb.File_drummer_proto, pb.File_fleet_proto, pb.File_log_proto, pb.File_snapshot_proto} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				out["/"+string(service.FullName())+"/"+string(method.Name())] = method
			}
		}
	}
	return out
}

func TestEveryMethodIsInTheTable(t *testing.T) {
	require.ElementsMatch(t, slices.Collect(maps.Keys(methods())), slices.Collect(maps.Keys(table)))
	for method, rule := range table {
		require.NotEmpty(t, rule.roles, method)
		for _, r := range rule.roles {
			require.True(t, r.known(), "%s is for role %q", method, r)
		}
	}
}

// Readers only read, operators do everything on Drummer, and what changes something
// says who asked.
func TestWhoMayDoWhat(t *testing.T) {
	for name, method := range methods() {
		service := string(method.Parent().Name())
		roles := table[name].roles
		if service == "Drummer" || service == "Fleet" {
			require.Contains(t, roles, Operator, name)
			changes := method.Input().Fields().ByName("by") != nil
			require.Equal(t, changes, !slices.Contains(roles, Reader), "%s: what has no 'by' only reads", name)
			require.Equal(t, changes, len(roles) == 1, name)
		}
		if service == "NodeHostAPI" {
			require.Equal(t, []Role{Application}, roles, name)
			require.NotNil(t, table[name].check, "%s is bound to the clusters of a certificate", name)
		}
		if service == "Peers" {
			require.Equal(t, []Role{Server}, roles, name)
		}
		if slices.Contains(roles, NodeHost) {
			require.NotNil(t, table[name].check, "%s is bound to the NodeHost of a certificate", name)
		}
		if slices.Contains(roles, Application) && service != "NodeHostAPI" {
			require.True(t, strings.HasSuffix(name, "/Locate"), name)
		}
	}
}

// What names no cluster is for no application, and no other message is taken for a
// NodeHost's.
func TestChecksRefuseWhatTheyDoNotKnow(t *testing.T) {
	require.Error(t, ownCluster(Identity{Role: Application, Clusters: Clusters{all: true}}, &pb.LaunchRequest{}))
	require.Error(t, asItself(Identity{Role: NodeHost}, &pb.LaunchRequest{}))
}
