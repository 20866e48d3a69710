package statement

import (
	"encoding/hex"
	"testing"
)

// The digest is frozen: contracts and canisters compute the same. The parts are small enough to be
// recomputed by hand with any keccak-256.
func TestGolden(t *testing.T) {
	empty := Keccak()
	if got := hex.EncodeToString(empty[:]); got != "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" {
		t.Fatalf("keccak-256 of nothing is %s: this is not the Ethereum variant", got)
	}
	s := Digest([32]byte{1}, Model([][64]byte{{2}, {3}}), Inputs([][32]byte{Tensor(Public, []byte("x"))}),
		Outputs([][32]byte{Tensor(Committed, make([]byte, 64))}), []byte("context"))
	const want = "1580a5dada2c6179cc9cc3db70c84df86233ef27197d750a0b26319f67d549bd"
	if got := hex.EncodeToString(s[:]); got != want {
		t.Errorf("digest %s, expected %s", got, want)
	}
}

// Every part matters, and so does the way a tensor is bound.
func TestEveryPartBinds(t *testing.T) {
	x, y := Tensor(Public, []byte("x")), Tensor(Public, []byte("y"))
	digests := map[[32]byte]string{}
	add := func(name string, d [32]byte) {
		if other, ok := digests[d]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		digests[d] = name
	}
	in, out := Inputs([][32]byte{x}), Outputs([][32]byte{y})
	add("base", Digest([32]byte{1}, [32]byte{2}, in, out, []byte("c")))
	add("key", Digest([32]byte{9}, [32]byte{2}, in, out, []byte("c")))
	add("model", Digest([32]byte{1}, [32]byte{9}, in, out, []byte("c")))
	add("input", Digest([32]byte{1}, [32]byte{2}, Inputs([][32]byte{y}), out, []byte("c")))
	add("output", Digest([32]byte{1}, [32]byte{2}, in, Outputs([][32]byte{x}), []byte("c")))
	add("swapped", Digest([32]byte{1}, [32]byte{2}, out, in, []byte("c")))
	add("context", Digest([32]byte{1}, [32]byte{2}, in, out, []byte("d")))
	add("no context", Digest([32]byte{1}, [32]byte{2}, in, out, nil))
	add("fold", Digest([32]byte{1}, [32]byte{2}, Inputs([][32]byte{Tensor(Fold, []byte("x"))}), out, []byte("c")))
	add("committed", Digest([32]byte{1}, [32]byte{2}, Inputs([][32]byte{Tensor(Committed, []byte("x"))}), out, []byte("c")))
	add("two inputs", Digest([32]byte{1}, [32]byte{2}, Inputs([][32]byte{x, x}), out, []byte("c")))
	for d := range digests {
		if d[0] > 0x1f {
			t.Errorf("digest %x exceeds 253 bits", d)
		}
	}
}
