package store

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Errors of trees.
var (
	ErrExists  = errors.New("there is a record of this key")
	ErrMissing = errors.New("there is no record of this key")
	ErrTooLong = errors.New("the record is longer than what was reserved for it")
)

// Tree is one of a store's trees: a binary trie in which each branch decides by the first bit in which
// the keys below it differ.
type Tree struct {
	store *Store
	root  uint64 // where its reference stands
}

// Tree is tree number n, which is empty at first.
func (s *Store) Tree(n int) *Tree {
	if n < 0 || n >= maxTrees {
		panic("store: no such tree")
	}
	return &Tree{s, rootsAt + 8*uint64(n)}
}

// ref is an offset in memory, doubled, and one more for a record; 0 is nothing.
type ref uint64

func (r ref) record() bool { return r&1 == 1 }
func (r ref) at() uint64   { return uint64(r >> 1) }

// branch is an inner node: keys with bit 0 are below the first child.
type branch struct {
	at       uint64
	bit      int
	children [2]ref
	hash     [32]byte
}

// record is a leaf; its value stands behind it in memory.
type record struct {
	at               uint64
	key              [32]byte
	length, reserved uint32
	hash             [32]byte // of the record under its key
}

const (
	branchSize = 3*8 + 32
	recordSize = 32 + 2*4 + 32
)

func bitOf(key [32]byte, i int) int { return int(key[i/8]>>(7-i%8)) & 1 }

// side is the child below which a key belongs.
func (n *branch) side(key [32]byte) int { return bitOf(key, n.bit) }

func (t *Tree) readBranch(r ref) *branch {
	b := make([]byte, branchSize)
	t.store.memory.Read(r.at(), b)
	u := binary.LittleEndian.Uint64
	n := &branch{at: r.at(), bit: int(u(b)), children: [2]ref{ref(u(b[8:])), ref(u(b[16:]))}}
	copy(n.hash[:], b[24:])
	return n
}

func (t *Tree) writeBranch(n *branch) {
	u := binary.LittleEndian
	b := u.AppendUint64(make([]byte, 0, branchSize), uint64(n.bit))
	for _, c := range n.children {
		b = u.AppendUint64(b, uint64(c))
	}
	t.store.memory.Write(n.at, append(b, n.hash[:]...))
}

func (t *Tree) readRecord(r ref) *record {
	b := make([]byte, recordSize)
	t.store.memory.Read(r.at(), b)
	u := binary.LittleEndian
	n := &record{at: r.at(), key: [32]byte(b), length: u.Uint32(b[32:]), reserved: u.Uint32(b[36:])}
	copy(n.hash[:], b[40:])
	return n
}

func (t *Tree) writeRecord(n *record, value []byte) {
	n.length, n.hash = uint32(len(value)), labelled(n.key, value)
	u := binary.LittleEndian
	b := append(make([]byte, 0, recordSize+len(value)), n.key[:]...)
	b = u.AppendUint32(u.AppendUint32(b, n.length), n.reserved)
	b = append(b, n.hash[:]...)
	t.store.memory.Write(n.at, append(b, value...))
}

func (t *Tree) value(n *record) []byte {
	b := make([]byte, n.length)
	t.store.memory.Read(n.at+recordSize, b)
	return b
}

// walk goes where a key leads, to a record that may have another key: nil in an empty tree.
func (t *Tree) walk(key [32]byte) ([]*branch, *record) {
	var path []*branch
	r := ref(t.store.uint64(t.root))
	if r == 0 {
		return nil, nil
	}
	for !r.record() {
		n := t.readBranch(r)
		path = append(path, n)
		r = n.children[n.side(key)]
	}
	return path, t.readRecord(r)
}

// find is the record of a key, nil if there is none, and the path to it.
func (t *Tree) find(key [32]byte) ([]*branch, *record) {
	path, n := t.walk(key)
	if n == nil || n.key != key {
		return nil, nil
	}
	return path, n
}

// Has says whether there is a record.
func (t *Tree) Has(key [32]byte) bool {
	_, n := t.find(key)
	return n != nil
}

// Get is the record of a key, or ErrMissing.
func (t *Tree) Get(key [32]byte) ([]byte, error) {
	_, n := t.find(key)
	if n == nil {
		return nil, ErrMissing
	}
	return t.value(n), nil
}

// Insert adds a record and keeps room for it to grow by more bytes: ErrExists, ErrFull.
func (t *Tree) Insert(key [32]byte, value []byte, more int) error {
	path, nearest := t.walk(key)
	if nearest != nil && nearest.key == key {
		return ErrExists
	}
	size := uint64(len(value) + more)
	at, err := t.store.allocate(recordSize + size)
	if err != nil {
		return err
	}
	n := &record{at: at, key: key, reserved: uint32(size)}
	t.writeRecord(n, value)
	added := ref(at<<1 | 1)
	if nearest == nil {
		t.store.putUint64(t.root, uint64(added))
		return nil
	}
	return t.branchOff(path, nearest.key, key, added)
}

// branchOff puts a new branch into the path, where the new key leaves it.
func (t *Tree) branchOff(path []*branch, nearest, key [32]byte, added ref) error {
	bit := firstDifference(nearest, key)
	depth := 0
	for depth < len(path) && path[depth].bit < bit {
		depth++
	}
	at, err := t.store.allocate(branchSize)
	if err != nil {
		return err
	}
	n := &branch{at: at, bit: bit}
	n.children[bitOf(key, bit)] = added
	path = path[:depth]
	if depth == 0 {
		n.children[1-bitOf(key, bit)] = ref(t.store.uint64(t.root))
		t.store.putUint64(t.root, at<<1)
	} else {
		parent := path[depth-1]
		n.children[1-bitOf(key, bit)] = parent.children[parent.side(key)]
		parent.children[parent.side(key)] = ref(at << 1)
	}
	t.rehash(append(path, n))
	return nil
}

func firstDifference(a, b [32]byte) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	panic("store: equal keys")
}

// Update replaces a record: ErrMissing, ErrTooLong.
func (t *Tree) Update(key [32]byte, value []byte) error {
	path, n := t.find(key)
	if n == nil {
		return ErrMissing
	}
	if uint64(len(value)) > uint64(n.reserved) {
		return ErrTooLong
	}
	t.writeRecord(n, value)
	t.rehash(path)
	return nil
}

// rehash computes the hashes of a path again, from its end to the root, and writes its branches.
func (t *Tree) rehash(path []*branch) {
	for i := len(path) - 1; i >= 0; i-- {
		n := path[i]
		n.hash = forkHash(t.hashOf(n.children[0]), t.hashOf(n.children[1]))
		t.writeBranch(n)
	}
}

func (t *Tree) hashOf(r ref) [32]byte {
	if r.record() {
		return t.readRecord(r).hash
	}
	return t.readBranch(r).hash
}

// Hash is the hash of the whole tree.
func (t *Tree) Hash() [32]byte {
	if r := ref(t.store.uint64(t.root)); r != 0 {
		return t.hashOf(r)
	}
	return emptyHash()
}
