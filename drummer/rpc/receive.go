// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// messageHeader is what gRPC sends before each message: a byte that says whether it
// is compressed, and its length.
const messageHeader = 5

// rawStream is what a gRPC server's stream can do beside what grpc.ServerStream says:
// a message's header can be read before the message.
type rawStream interface {
	ReadMessageHeader(header []byte) error
	Read(n int) (mem.BufferSlice, error)
}

// receive reads the next message. Of a large one it reads the length, makes room, and
// only then lets the caller send it. Nothing is held while there is no message.
func (c *call) receive(message any) error {
	stream, ok := grpc.ServerTransportStreamFromContext(c.Context()).(rawStream)
	if !ok {
		return status.Errorf(codes.Internal, "this version of gRPC offers no way to read the length of a message before the message; messages can't be bounded by it")
	}
	header := make([]byte, messageHeader)
	if err := stream.ReadMessageHeader(header); err != nil {
		return received(err)
	}
	size := int64(binary.BigEndian.Uint32(header[1:]))
	switch {
	case header[0] != 0:
		return status.Error(codes.Unimplemented, "compressed messages are not taken")
	case size > maxMessageBytes:
		return status.Errorf(codes.ResourceExhausted, "refused: a message of %d bytes is over the limit of %d; send it in parts", size, maxMessageBytes)
	case size <= smallMessage:
		data, err := stream.Read(int(size))
		return decode(data, err, message)
	}
	if err := c.hold(size); err != nil {
		return err
	}
	return c.receiveLarge(stream, int(size), message)
}

// receiveLarge gives up a message that takes too long to arrive.
func (c *call) receiveLarge(stream rawStream, size int, message any) error {
	type arrival struct {
		data mem.BufferSlice
		err  error
	}
	arrived := make(chan arrival, 1)
	go func() { // ends with the call, at the latest
		data, err := stream.Read(size)
		arrived <- arrival{data, err}
	}()
	timeout := time.NewTimer(receiveTimeout)
	defer timeout.Stop()
	select {
	case a := <-arrived:
		weight := min(1+int64(size/bytesOfDecoder), decoders)
		if err := c.gate.decoding.Acquire(c.Context(), weight); err != nil {
			a.data.Free()
			return status.FromContextError(err).Err()
		}
		defer c.gate.decoding.Release(weight)
		return decode(a.data, a.err, message)
	case <-timeout.C:
		return c.gate.tooSlow(size)
	}
}

func decode(data mem.BufferSlice, err error, message any) error {
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return received(err)
	}
	defer data.Free()
	if err := encoding.GetCodecV2("proto").Unmarshal(data, message); err != nil {
		return status.Errorf(codes.Internal, "a message can't be decoded: %v", err)
	}
	return nil
}

// received is the error of a stream as gRPC's own RecvMsg returns it.
func received(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, fmt.Sprintf("a message was not received: %v", err))
}
