package store

import (
	"encoding/binary"
	"errors"
)

// Memory is stable memory, in bytes and pages of 64 KiB. Errors of the system trap.
type Memory interface {
	Pages() uint64
	Grow(pages uint64) bool
	Read(offset uint64, b []byte)
	Write(offset uint64, b []byte)
}

// ErrFull: the store has reached its limit.
var ErrFull = errors.New("the canister's memory is full")

// Layout of the beginning.
const (
	magic      = "zkinfer canister"
	layout     = 1
	nextAt     = 32 // first free byte
	rootsAt    = 40 // of the trees
	maxTrees   = 8
	settingsAt = rootsAt + 8*maxTrees // offset and length
	countersAt = settingsAt + 2*8
	counters   = 8
	headerSize = 256
	pageSize   = 1 << 16
)

// Store is the records in a memory. It holds no state of its own.
type Store struct {
	memory Memory
	limit  uint64
}

// ErrNotEmpty and ErrUnknown are about what Open and Create find.
var (
	ErrNotEmpty = errors.New("stable memory is in use already")
	ErrUnknown  = errors.New("stable memory was not written by this program")
	ErrVersion  = errors.New("stable memory of an unsupported version")
)

// Create begins a store of at most limit bytes in empty memory.
func Create(m Memory, limit uint64) (*Store, error) {
	if m.Pages() != 0 {
		return nil, ErrNotEmpty
	}
	if !m.Grow(1) {
		return nil, ErrFull
	}
	header := make([]byte, headerSize)
	copy(header, magic)
	binary.LittleEndian.PutUint32(header[len(magic):], layout)
	binary.LittleEndian.PutUint64(header[nextAt:], headerSize)
	m.Write(0, header)
	return &Store{m, limit}, nil
}

// Open is the store in a memory that Create began.
func Open(m Memory, limit uint64) (*Store, error) {
	if m.Pages() == 0 {
		return nil, ErrUnknown
	}
	header := make([]byte, len(magic)+4)
	m.Read(0, header)
	if string(header[:len(magic)]) != magic {
		return nil, ErrUnknown
	}
	if binary.LittleEndian.Uint32(header[len(magic):]) != layout {
		return nil, ErrVersion
	}
	return &Store{m, limit}, nil
}

// Used is the number of bytes that are taken.
func (s *Store) Used() uint64 { return s.uint64(nextAt) }

// Settings are the bytes that SetSettings stored last.
func (s *Store) Settings() []byte {
	b := make([]byte, s.uint64(settingsAt+8))
	s.memory.Read(s.uint64(settingsAt), b)
	return b
}

// SetSettings stores the canister's settings; the room of those before is lost.
func (s *Store) SetSettings(b []byte) error {
	at, err := s.allocate(uint64(len(b)))
	if err != nil {
		return err
	}
	s.memory.Write(at, b)
	s.putUint64(settingsAt, at)
	s.putUint64(settingsAt+8, uint64(len(b)))
	return nil
}

// Counter is counter number n, 0 at first.
func (s *Store) Counter(n int) uint64 { return s.uint64(counterAt(n)) }

// Count adds one to counter number n.
func (s *Store) Count(n int) { s.putUint64(counterAt(n), s.Counter(n)+1) }

func counterAt(n int) uint64 {
	if n < 0 || n >= counters {
		panic("store: no such counter")
	}
	return countersAt + 8*uint64(n)
}

// allocate takes n bytes.
func (s *Store) allocate(n uint64) (uint64, error) {
	at := s.uint64(nextAt)
	end := at + n
	if end > s.limit || end < at {
		return 0, ErrFull
	}
	if pages := (end + pageSize - 1) / pageSize; pages > s.memory.Pages() {
		if !s.memory.Grow(pages - s.memory.Pages()) {
			return 0, ErrFull
		}
	}
	s.putUint64(nextAt, end)
	return at, nil
}

func (s *Store) uint64(at uint64) uint64 {
	var b [8]byte
	s.memory.Read(at, b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func (s *Store) putUint64(at, v uint64) {
	s.memory.Write(at, binary.LittleEndian.AppendUint64(nil, v))
}
