// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
)

// Profile is a CPU profile as package runtime/pprof writes it.
type Profile struct {
	Samples []Sample
}

// Sample is a stack that was seen.
type Sample struct {
	Functions []string // with their package paths, the innermost first
	Weight    int64    // nanoseconds
}

// ReadProfile reads a file of runtime/pprof: gzip around a protocol buffer, whose
// format is github.com/google/pprof/proto/profile.proto.
func ReadProfile(file string) (*Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the CPU profile: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read the CPU profile %s: %w", file, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("read the CPU profile %s: %w", file, err)
	}
	p, err := parseProfile(b)
	if err != nil {
		return nil, fmt.Errorf("read the CPU profile %s: %w", file, err)
	}
	return p, nil
}

// The numbers of the fields that are read.
const (
	profileSample, profileLocation, profileFunction, profileStrings = 2, 4, 5, 6

	sampleLocations, sampleValues = 1, 2
	locationID, locationLine      = 1, 4
	lineFunction                  = 1
	functionID, functionName      = 1, 2
)

// decoder collects the parts of a profile, which refer to each other by numbers.
type decoder struct {
	samples   []rawSample
	locations map[uint64][]uint64 // to functions, the innermost first: inlined calls share a location
	functions map[uint64]uint64   // to names
	strings   []string
}

type rawSample struct{ locations, values []uint64 }

func parseProfile(b []byte) (*Profile, error) {
	d := decoder{locations: map[uint64][]uint64{}, functions: map[uint64]uint64{}}
	err := fields(b, func(number protowire.Number, _ uint64, data []byte) error {
		switch number {
		case profileSample:
			return d.sample(data)
		case profileLocation:
			return d.location(data)
		case profileFunction:
			return d.function(data)
		case profileStrings:
			d.strings = append(d.strings, string(data))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d.profile()
}

func (d *decoder) sample(b []byte) error {
	var s rawSample
	err := fields(b, func(number protowire.Number, value uint64, data []byte) error {
		var err error
		switch number {
		case sampleLocations:
			s.locations, err = numbers(s.locations, value, data)
		case sampleValues:
			s.values, err = numbers(s.values, value, data)
		}
		return err
	})
	d.samples = append(d.samples, s)
	return err
}

func (d *decoder) location(b []byte) error {
	var id uint64
	var functions []uint64
	err := fields(b, func(number protowire.Number, value uint64, data []byte) error {
		switch number {
		case locationID:
			id = value
		case locationLine:
			return fields(data, func(number protowire.Number, value uint64, _ []byte) error {
				if number == lineFunction {
					functions = append(functions, value)
				}
				return nil
			})
		}
		return nil
	})
	d.locations[id] = functions
	return err
}

func (d *decoder) function(b []byte) error {
	var id, name uint64
	err := fields(b, func(number protowire.Number, value uint64, _ []byte) error {
		switch number {
		case functionID:
			id = value
		case functionName:
			name = value
		}
		return nil
	})
	d.functions[id] = name
	return err
}

// profile resolves the numbers.
func (d *decoder) profile() (*Profile, error) {
	p := &Profile{}
	for _, raw := range d.samples {
		if len(raw.values) == 0 {
			return nil, errors.New("a sample has no value")
		}
		// A CPU profile's last value is nanoseconds, the first a count.
		s := Sample{Weight: int64(raw.values[len(raw.values)-1])}
		for _, location := range raw.locations {
			for _, function := range d.locations[location] {
				name := d.functions[function]
				if name >= uint64(len(d.strings)) {
					return nil, fmt.Errorf("function %d has name %d of %d", function, name, len(d.strings))
				}
				s.Functions = append(s.Functions, d.strings[name])
			}
		}
		p.Samples = append(p.Samples, s)
	}
	return p, nil
}

// fields calls do with each field of a message: value for a number, data for
// anything with a length.
func fields(b []byte, do func(number protowire.Number, value uint64, data []byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var value uint64
		var data []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := do(number, value, data); err != nil {
			return err
		}
	}
	return nil
}

// numbers adds one number of a repeated field, or all of a packed one.
func numbers(to []uint64, value uint64, packed []byte) ([]uint64, error) {
	if packed == nil {
		return append(to, value), nil
	}
	for len(packed) > 0 {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		to, packed = append(to, v), packed[n:]
	}
	return to, nil
}
