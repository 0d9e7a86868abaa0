// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"google.golang.org/grpc"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Peer is where a Drummer server is.
type Peer struct {
	RaftAddress string // of its NodeHost
	Address     string // of its gRPC services
}

// Raft is the membership of DrummerDB's Raft cluster. An error means that what
// became of a call is not known, unless it is dragonboat.ErrRejected.
type Raft interface {
	Membership(ctx context.Context) (*dragonboat.Membership, error)
	// Voters are the members that vote, as far as this server has applied.
	Voters() map[uint64]string
	AddObserver(ctx context.Context, nodeID uint64, address string, ccid uint64) error
	AddVoter(ctx context.Context, nodeID uint64, address string, ccid uint64) error
	Remove(ctx context.Context, nodeID, ccid uint64) error
	TransferLeader(nodeID uint64) error
	// Readable reports whether a linearizable read can be made within a timeout.
	Readable(ctx context.Context, timeout time.Duration) bool
}

// Config is what a server is to the others. All is needed but Dial and TLS.
type Config struct {
	NodeID       uint64
	RaftAddress  string
	Members      map[uint64]Peer // the others among them
	Join         bool            // it was added to a running deployment
	DeploymentID uint64
	Tick         time.Duration
	// ElectionTimeout is that of DrummerDB; ProposeTimeout bounds a proposal.
	ElectionTimeout time.Duration
	ProposeTimeout  time.Duration
	Raft            Raft
	// Note writes into the event log that somebody changes the members.
	Note func(context.Context, *pb.NoteServerChange) error
	// Leader returns who leads DrummerDB, 0 when nobody is known to, and the term.
	Leader func() (nodeID, term uint64)
	Dial   rpc.DialFunc
	TLS    rpc.TLSFunc
	Log    *slog.Logger
}

// Peers is a server among the others. It is safe for concurrent use.
type Peers struct {
	config Config
	record *record
	known  *known
	table  *table
}

// FileIn is the file, in a NodeHost's directory, in which a server keeps what it
// must not forget of the others.
func FileIn(nodehost config.NodeHostConfig) durable.File { return durable.In(nodehost, recordFile) }

// Open reads what this server knew of the others when it stopped, from a file, and
// enters a boot. Disk is the ID of the NodeHost that is on it.
func Open(config Config, file durable.File, disk string) (*Peers, error) {
	record, err := openRecord(file, disk, config.NodeID, config.DeploymentID, time.Now().UnixNano())
	if err != nil {
		return nil, err
	}
	p := &Peers{config: config, record: record}
	p.known = newKnown(&p.config, record)
	if !record.lost() {
		// Without a log nobody is known to be a member but who is configured.
		if _, err := record.retain(p.known.server); err != nil {
			return nil, err
		}
	}
	p.table = newTable(&p.config, record, p.known)
	return p, nil
}

// Register offers the services that servers ask of each other.
func (p *Peers) Register(registrar grpc.ServiceRegistrar) {
	pb.RegisterPeersServer(registrar, p.Service())
}

// Service is what other servers ask of this one.
func (p *Peers) Service() pb.PeersServer { return &service{peers: p} }

// Resume is for a server that has a log, before it runs. It returns how the server
// once joined; what the configuration says is taken for that when there is no
// record of it.
func (p *Peers) Resume() (join bool, err error) {
	p.config.Join, err = p.record.resume(p.config.Join)
	return p.config.Join, err
}

// Started records that the server has a log from now on.
func (p *Peers) Started() error {
	_, err := p.record.resume(p.config.Join)
	return err
}

// FirstStart prepares for a server that has no log. The error is ErrDiskLost when
// it had one. Unless alone, it has to be admitted by others before Raft starts.
func (p *Peers) FirstStart() (admit func(context.Context) error, err error) {
	if p.record.lost() {
		return nil, diskLost(p.config.NodeID, "there is a record of a log of DrummerDB on this disk, and no log")
	}
	a := p.newAdmission()
	switch {
	case len(a.others) > 0:
		return a.run, nil
	case p.config.Join:
		return nil, fmt.Errorf("server %d joins others, and its members name none to ask", p.config.NodeID)
	default:
		p.record.begin(nil)
		return nil, nil
	}
}

// Own is the address of this server's gRPC services.
func (p *Peers) Own() string { return p.table.own.GetAddress() }

// Address is that of a server's gRPC services, "" when it is not known.
func (p *Peers) Address(nodeID uint64) string { return p.table.get(nodeID).GetAddress() }

// Addresses are those of all servers' gRPC services, in order.
func (p *Peers) Addresses() []string { return p.table.addresses() }

// VotersKnow reports whether every server that votes is alive and knows a version
// of DrummerDB's commands.
func (p *Peers) VotersKnow(version uint32) bool {
	return p.table.allKnow(version, p.config.Raft.Voters(), aliveTicks*p.config.Tick)
}

// alive reports whether a server was heard of lately.
func (p *Peers) alive(nodeID uint64) bool {
	return p.table.alive(nodeID, aliveTicks*p.config.Tick)
}
