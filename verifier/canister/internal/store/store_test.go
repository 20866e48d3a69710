package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
)

// pages is stable memory in a slice, of at most limit pages.
type pages struct {
	b     []byte
	limit uint64
}

func (p *pages) Pages() uint64 { return uint64(len(p.b) / pageSize) }
func (p *pages) Grow(n uint64) bool {
	if p.Pages()+n > p.limit {
		return false
	}
	p.b = append(p.b, make([]byte, n*pageSize)...)
	return true
}
func (p *pages) Read(at uint64, b []byte)  { copy(b, p.b[at:at+uint64(len(b))]) }
func (p *pages) Write(at uint64, b []byte) { copy(p.b[at:at+uint64(len(b))], b) }

func newStore(t *testing.T) (*Store, *pages) {
	t.Helper()
	m := &pages{limit: 64}
	s, err := Create(m, 64*pageSize)
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

func key(i int) [32]byte { return sha256.Sum256([]byte(fmt.Sprint("key ", i))) }

func value(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i%300) }

func TestTree(t *testing.T) {
	s, m := newStore(t)
	tree, other := s.Tree(0), s.Tree(1)
	const n = 500
	for i := range n {
		if tree.Has(key(i)) {
			t.Fatalf("key %d is there already", i)
		}
		if err := tree.Insert(key(i), value(i), 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := tree.Insert(key(7), nil, 0); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	if other.Has(key(7)) {
		t.Error("trees share records")
	}
	longer := append(value(7), make([]byte, 100)...)
	if err := tree.Update(key(7), longer); err != nil {
		t.Fatal(err)
	}
	if err := tree.Update(key(8), make([]byte, 109)); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v", err)
	}
	if err := tree.Update(key(n), nil); !errors.Is(err, ErrMissing) {
		t.Errorf("%v", err)
	}
	s, err := Open(m, 64*pageSize)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		want := value(i)
		if i == 7 {
			want = longer
		}
		if got, err := s.Tree(0).Get(key(i)); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("record %d: %v, %v", i, got, err)
		}
	}
}

// The hash of a tree depends on its records and not on their order, and every record changes it.
func TestHash(t *testing.T) {
	s, _ := newStore(t)
	a, b := s.Tree(0), s.Tree(1)
	if a.Hash() != emptyHash() {
		t.Error("an empty tree has another hash")
	}
	seen := map[[32]byte]bool{a.Hash(): true}
	const n = 60
	for i := range n {
		if err := a.Insert(key(i), value(i), 10); err != nil {
			t.Fatal(err)
		}
		if seen[a.Hash()] {
			t.Fatalf("record %d does not change the hash", i)
		}
		seen[a.Hash()] = true
		if err := b.Insert(key(n-1-i), value(n-1-i), 0); err != nil {
			t.Fatal(err)
		}
	}
	if a.Hash() != b.Hash() {
		t.Error("the hash depends on the order of insertion")
	}
	before := a.Hash()
	if err := a.Update(key(3), []byte("other")); err != nil || a.Hash() == before {
		t.Errorf("an update does not change the hash: %v", err)
	}
	if err := a.Update(key(3), value(3)); err != nil || a.Hash() != before {
		t.Errorf("undoing an update does not restore the hash: %v", err)
	}
}

// No order of insertion makes paths long: sorted keys are as good as any.
func TestDepth(t *testing.T) {
	s, _ := newStore(t)
	tree := s.Tree(0)
	for i := range 1000 {
		k := key(0)
		k[0], k[1] = byte(i>>2), byte(i<<6)
		if err := tree.Insert(k, nil, 0); err != nil {
			t.Fatal(err)
		}
		if path, _ := tree.find(k); len(path) > 10 {
			t.Fatalf("path of %d branches among %d keys of 10 bits", len(path), i+1)
		}
	}
}

func TestLimits(t *testing.T) {
	s, m := newStore(t)
	if _, err := Create(m, 1); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("%v", err)
	}
	if err := s.Tree(0).Insert(key(1), make([]byte, 64*pageSize), 0); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if s.Tree(0).Has(key(1)) {
		t.Error("a record that did not fit is there")
	}
	if err := s.SetSettings([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetSettings([]byte("three")); err != nil || string(s.Settings()) != "three" {
		t.Errorf("%q, %v", s.Settings(), err)
	}
	s.Count(2)
	s.Count(2)
	if s.Counter(2) != 2 || s.Counter(1) != 0 {
		t.Errorf("counters %d and %d", s.Counter(2), s.Counter(1))
	}
	for what, b := range map[string][]byte{"other": []byte("another program's"), "version": append([]byte(magic), 9, 0, 0, 0)} {
		foreign := &pages{b: make([]byte, pageSize), limit: 1}
		copy(foreign.b, b)
		if _, err := Open(foreign, 1); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
	if _, err := Open(&pages{}, 1); !errors.Is(err, ErrUnknown) {
		t.Errorf("%v", err)
	}
}
