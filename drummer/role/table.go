// SPDX-License-Identifier: Apache-2.0

package role

import (
	"fmt"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// rule says who may call a method.
type rule struct {
	roles []Role
	// check, if there is one, returns why a caller of one of the roles may not send
	// a message all the same.
	check func(Identity, any) error
}

// table has each method of each service, and who may call it. What is not here is
// refused to everybody.
var table = map[string]rule{
	// NodeHosts: what agents speak.
	pb.NodeHosts_Attach_FullMethodName: {roles: []Role{NodeHost}, check: asItself},

	// Peers: Drummer servers among themselves.
	pb.Peers_Exchange_FullMethodName: {roles: []Role{Server}},
	pb.Peers_Admit_FullMethodName:    {roles: []Role{Server}},

	// Drummer: applications and tools.
	pb.Drummer_Locate_FullMethodName:         {roles: []Role{Application, Operator, Reader}},
	pb.Drummer_ListNodeHosts_FullMethodName:  {roles: []Role{Operator, Reader}},
	pb.Drummer_ListOperations_FullMethodName: {roles: []Role{Operator, Reader}},
	pb.Drummer_ListEvents_FullMethodName:     {roles: []Role{Operator, Reader}},
	pb.Drummer_Status_FullMethodName:         {roles: []Role{Operator, Reader}},
	pb.Drummer_DefineClusters_FullMethodName: {roles: []Role{Operator}},
	pb.Drummer_Launch_FullMethodName:         {roles: []Role{Operator}},

	// Fleet: operators and their tools. A server that is to be salvaged asks whether
	// the others work without it.
	pb.Fleet_DryRun_FullMethodName:         {roles: []Role{Operator, Reader}},
	pb.Fleet_WatchEvents_FullMethodName:    {roles: []Role{Operator, Reader}},
	pb.Fleet_Backup_FullMethodName:         {roles: []Role{Operator, Reader}},
	pb.Fleet_ListServers_FullMethodName:    {roles: []Role{Operator, Reader, Server}},
	pb.Fleet_UpdateClusters_FullMethodName: {roles: []Role{Operator}},
	pb.Fleet_DeleteClusters_FullMethodName: {roles: []Role{Operator}},
	pb.Fleet_Pause_FullMethodName:          {roles: []Role{Operator}},
	pb.Fleet_Resume_FullMethodName:         {roles: []Role{Operator}},
	pb.Fleet_SetHostMode_FullMethodName:    {roles: []Role{Operator}},
	pb.Fleet_ForgetHost_FullMethodName:     {roles: []Role{Operator}},
	pb.Fleet_Restore_FullMethodName:        {roles: []Role{Operator}},
	pb.Fleet_RecoverCluster_FullMethodName: {roles: []Role{Operator}},
	pb.Fleet_AddServer_FullMethodName:      {roles: []Role{Operator}},
	pb.Fleet_RemoveServer_FullMethodName:   {roles: []Role{Operator}},

	// NodeHostAPI: the Raft clusters of a NodeHost.
	pb.NodeHostAPI_GetSession_FullMethodName:   {roles: []Role{Application}, check: ownCluster},
	pb.NodeHostAPI_CloseSession_FullMethodName: {roles: []Role{Application}, check: ownCluster},
	pb.NodeHostAPI_Propose_FullMethodName:      {roles: []Role{Application}, check: ownCluster},
	pb.NodeHostAPI_Read_FullMethodName:         {roles: []Role{Application}, check: ownCluster},

	// Recovery: a NodeHost's clusters that lost their quorum for good.
	pb.Recovery_InspectReplica_FullMethodName: {roles: []Role{Operator, Reader}},
	pb.Recovery_RecoverReplica_FullMethodName: {roles: []Role{Operator}},
}

// asItself lets a nodehost speak only as the one that its certificate bears.
func asItself(id Identity, message any) error {
	m, ok := message.(*pb.AgentMessage)
	if !ok {
		return fmt.Errorf("a NodeHost does not send a %T", message)
	}
	if m.GetHello() == nil {
		return nil // of the NodeHost that said Hello on this stream
	}
	claimed := m.GetHello().GetHost()
	if claimed.GetRaftAddress() != id.RaftAddress {
		return fmt.Errorf("the certificate %q is for the NodeHost at %q, and its bearer speaks as the one at %q", id.Name, id.RaftAddress, shorten(claimed.GetRaftAddress()))
	}
	if id.NodeHostID != "" && claimed.GetNodehostId() != id.NodeHostID {
		return fmt.Errorf("the certificate %q is for NodeHost %q, and its bearer speaks as %q; if the disk was lost, the NodeHost needs a new certificate",
			id.Name, id.NodeHostID, shorten(claimed.GetNodehostId()))
	}
	return nil
}

// ownCluster lets an application use only clusters that its certificate names.
func ownCluster(id Identity, message any) error {
	var cluster uint64
	switch m := message.(type) {
	case *pb.ProposeRequest:
		cluster = m.GetSession().GetClusterId()
	case interface{ GetClusterId() uint64 }:
		cluster = m.GetClusterId()
	default:
		return fmt.Errorf("a %T names no cluster", message)
	}
	if !id.Clusters.Has(cluster) {
		return fmt.Errorf("the certificate %q is not for cluster %d, but for clusters %s", id.Name, cluster, shorten(id.Clusters.String()))
	}
	return nil
}
