// Package envelope frames every file of zkinfer and decodes their contents strictly.
//
// A file is
//
//	"zkinfer"  7 bytes
//	framing    1 byte, 1
//	kind       4 bytes of printable ASCII, such as "zkm "
//	version    uint16, the version of this kind's contents
//	length     uint64, bytes of the payload
//	digest     SHA-256 of the 22 bytes before and the payload
//	payload    to the end of the file, no byte more
//
// all numbers big-endian. The digest finds damage, not malice: anyone can compute it.
//
// Payloads are CBOR (RFC 8949) in core deterministic encoding. Unmarshal refuses what deterministic
// encoding never produces and a decoder might read in two ways: unknown or repeated keys, indefinite
// lengths, tags, trailing bytes. Pitfall: it does accept integers and lengths that are not in their
// shortest form and map keys out of order; a reader that needs one encoding a value encodes again
// and compares.
//
// WriteFile never leaves half a file: it writes next to the target, syncs and renames.
package envelope

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Errors of decoding. Every one returned by Decode, ReadFile and Unmarshal wraps one of these, or is
// the operating system's.
var (
	// ErrMalformed: the bytes are damaged or were never one of our files.
	ErrMalformed = errors.New("malformed file")
	// ErrKind: a file of ours, but of another kind.
	ErrKind = errors.New("wrong kind of file")
	// ErrUnsupportedVersion: a newer or older form that this program does not read.
	ErrUnsupportedVersion = errors.New("unsupported file version")
)

const (
	magic   = "zkinfer"
	framing = 1
	kindLen = 4
	// The offsets of the header's fields.
	kindAt     = len(magic) + 1
	versionAt  = kindAt + kindLen
	lengthAt   = versionAt + 2
	digestAt   = lengthAt + 8
	headerSize = digestAt + sha256.Size
)

// Encode frames a payload. It panics unless kind has four bytes: kinds are constants.
func Encode(kind string, version uint16, payload []byte) []byte {
	if len(kind) != kindLen {
		panic(fmt.Sprintf("envelope: kind %q has %d bytes, expected %d", kind, len(kind), kindLen))
	}
	b := make([]byte, 0, headerSize+len(payload))
	b = append(b, magic...)
	b = append(b, framing)
	b = append(b, kind...)
	b = binary.BigEndian.AppendUint16(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(len(payload)))
	digest := digestOf(b, payload)
	b = append(b, digest[:]...)
	return append(b, payload...)
}

// Decode opens an envelope of the given kind. The payload aliases b. The version is the caller's to
// check (CheckVersion), before it looks at the payload.
func Decode(b []byte, kind string) (version uint16, payload []byte, err error) {
	h, err := parseHeader(b, kind)
	if err != nil {
		return 0, nil, err
	}
	payload = b[headerSize:]
	if uint64(len(payload)) != h.length {
		return 0, nil, fmt.Errorf("%w: payload has %d bytes, the header says %d; the file is truncated or was appended to",
			ErrMalformed, len(payload), h.length)
	}
	return h.version, payload, h.check(b[:digestAt], payload)
}

// CheckVersion errs (ErrUnsupportedVersion) unless a file has the version that the caller reads.
func CheckVersion(kind string, got, want uint16) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%w: %q file of version %d, this program reads version %d; make it anew with this program or use the one that made it",
		ErrUnsupportedVersion, kind, got, want)
}

// Sniff is the kind of an envelope that begins with b, "" if it is none.
func Sniff(b []byte) (kind string) {
	if len(b) < versionAt || string(b[:len(magic)]) != magic {
		return ""
	}
	return string(b[kindAt:versionAt])
}

type header struct {
	version uint16
	length  uint64
	digest  []byte
}

func parseHeader(b []byte, kind string) (header, error) {
	got := Sniff(b)
	switch {
	case got == "":
		return header{}, fmt.Errorf("%w: it does not begin as a file of zkinfer does; expected a %q file", ErrMalformed, kind)
	case b[len(magic)] != framing:
		return header{}, fmt.Errorf("%w: framing %d, this program reads %d", ErrUnsupportedVersion, b[len(magic)], framing)
	case got != kind:
		return header{}, fmt.Errorf("%w: found %q, expected %q", ErrKind, got, kind)
	case len(b) < headerSize:
		return header{}, fmt.Errorf("%w: %d bytes, the header alone has %d", ErrMalformed, len(b), headerSize)
	}
	return header{
		version: binary.BigEndian.Uint16(b[versionAt:]),
		length:  binary.BigEndian.Uint64(b[lengthAt:]),
		digest:  b[digestAt:headerSize],
	}, nil
}

func (h header) check(prefix, payload []byte) error {
	if digest := digestOf(prefix, payload); !bytes.Equal(digest[:], h.digest) {
		return fmt.Errorf("%w: the digest does not match; the file is damaged, copy or make it again", ErrMalformed)
	}
	return nil
}

func digestOf(prefix, payload []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(prefix)
	h.Write(payload)
	return [sha256.Size]byte(h.Sum(nil))
}

// ReadFile reads and opens an envelope whose payload has at most maxBytes bytes; a larger one is
// refused (ErrMalformed) before anything of its size is allocated.
func ReadFile(path, kind string, maxBytes int64) (version uint16, payload []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	version, payload, err = read(f, kind, maxBytes)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", path, err)
	}
	return version, payload, nil
}

func read(r io.Reader, kind string, maxBytes int64) (version uint16, payload []byte, err error) {
	b := make([]byte, headerSize)
	n, err := io.ReadFull(r, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil, err
	}
	h, err := parseHeader(b[:n], kind)
	if err != nil {
		return 0, nil, err
	}
	if maxBytes < 0 || h.length > uint64(maxBytes) {
		return 0, nil, fmt.Errorf("%w: payload of %d bytes, expected at most %d", ErrMalformed, h.length, maxBytes)
	}
	// The buffer grows with what is really there, whatever the header says.
	var buf bytes.Buffer
	m, err := io.Copy(&buf, io.LimitReader(r, int64(h.length)+1))
	if err != nil {
		return 0, nil, err
	}
	if uint64(m) != h.length {
		return 0, nil, fmt.Errorf("%w: payload does not have the %d bytes that the header says; the file is truncated or was appended to",
			ErrMalformed, h.length)
	}
	payload = buf.Bytes()
	return h.version, payload, h.check(b[:digestAt], payload)
}
