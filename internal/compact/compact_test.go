package compact

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
)

type leaf struct {
	A int
	B int64
	C uint
	D bool
}

type tree struct {
	Name   string
	Digest [4]byte
	Pairs  [2]int
	Leaf   leaf
	Leaves []leaf
	Ints   []int
	Child  *tree
	Hidden int `compact:"-"`
}

func example() *tree {
	return &tree{Name: "root", Digest: [4]byte{1, 2, 255, 0}, Pairs: [2]int{-1, 300}, Leaf: leaf{math.MinInt64, math.MaxInt64, math.MaxUint64, true},
		Leaves: []leaf{{1, -2, 3, false}, {}}, Ints: []int{0, -64, 63, 64, 1 << 40}, Child: &tree{Name: "child", Ints: []int{7}}}
}

func TestRoundTrip(t *testing.T) {
	want := example()
	b := Append([]byte("head"), want)
	if !bytes.HasPrefix(b, []byte("head")) || !bytes.Equal(b[4:], Append(nil, *want)) {
		t.Error("what stood before is gone, or a pointer is encoded otherwise")
	}
	want.Hidden = 0
	var got tree
	if err := Decode(b[4:], &got, 1<<20); err != nil || !reflect.DeepEqual(&got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// By hand.
func TestEncoding(t *testing.T) {
	b := Append(nil, leaf{A: -1, B: 64, C: 128, D: true})
	if want := []byte{1, 0x80, 1, 0x80, 1, 1}; !bytes.Equal(b, want) {
		t.Errorf("%x, expected %x", b, want)
	}
}

// Whatever is decoded from a change of an encoding has that change as its encoding, and no prefix is one.
func TestOneEncoding(t *testing.T) {
	honest := Append(nil, example())
	for i := range honest {
		for delta := 1; delta < 256; delta++ {
			b := bytes.Clone(honest)
			b[i] ^= byte(delta)
			var got tree
			if err := Decode(b, &got, 1<<20); err == nil && !bytes.Equal(Append(nil, got), b) {
				t.Fatalf("byte %d changed by %x: another encoding of %+v", i, delta, got)
			} else if err != nil && !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
		}
		var got tree
		if err := Decode(honest[:i], &got, 1<<20); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", i, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for what, b := range map[string][]byte{
		"a longer zero": {0x80, 0}, "an endless number": bytes.Repeat([]byte{0x80}, 11), "a number of 65 bits": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
		"nothing": nil, "a byte too many": {0, 0}, "a list of more than there is": {3, 0, 0}, "an enormous list": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		var list []int
		if err := Decode(b, &list, 1<<20); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", what, list, err)
		}
	}
	var small uint8
	if err := Decode([]byte{0x80, 2}, &small, 0); !errors.Is(err, ErrMalformed) {
		t.Errorf("256 as a byte: %v", err)
	}
	var yes bool
	if err := Decode([]byte{2}, &yes, 0); !errors.Is(err, ErrMalformed) {
		t.Errorf("2 as yes: %v", err)
	}
}

// Memory is bounded, whether it is taken at once or bit by bit.
func TestLimit(t *testing.T) {
	var lists [][]leaf
	b := Append(nil, [][]leaf{make([]leaf, 10), make([]leaf, 10)})
	const size = 2*24 + 20*32
	if err := Decode(b, &lists, size); err != nil {
		t.Errorf("within the limit: %v", err)
	}
	if err := Decode(b, &lists, size-1); !errors.Is(err, ErrMalformed) {
		t.Errorf("beyond the limit: %v", err)
	}
	if err := Decode(Append(nil, &tree{Child: &tree{}}), &tree{}, 8); !errors.Is(err, ErrMalformed) {
		t.Errorf("a pointer beyond the limit: %v", err)
	}
}

// What has no encoding is a mistake of the programmer.
func TestPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a map was encoded")
		}
	}()
	Append(nil, map[int]int{})
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, example()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var got tree
		if Decode(b, &got, 1<<16) == nil && !bytes.Equal(Append(nil, got), b) {
			t.Errorf("another encoding of %+v", got)
		}
	})
}
