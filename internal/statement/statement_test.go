package statement

import (
	"encoding/hex"
	"testing"
)

// The digest is frozen: contracts and canisters compute the same. The expected values come from an
// implementation of its own, keccak-256 included, written from docs/protocol.md.
func TestGolden(t *testing.T) {
	long := make([]byte, 1000)
	for i := range long {
		long[i] = byte(i)
	}
	x := []byte("x")
	key, model := [32]byte{1}, Model([][64]byte{{2}, {3}})
	in, point := Inputs([][32]byte{Tensor(Public, x)}), Tensor(Committed, make([]byte, 64))
	out := Outputs([][32]byte{point})
	for _, c := range []struct {
		name string
		got  [32]byte
		want string
	}{
		{"keccak-256 of nothing", Keccak(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{"model", model, "a85701e54f431f40476eb5703226d947c8ef1df6cff8d94fea80b29c6e0b4bd0"},
		{"public tensor", Tensor(Public, x), "dae4c8468ea66e68c4bf1c1d38035d01cbb3701696829b78ca1c25ae5fdf2220"},
		{"folded tensor", Tensor(Fold, x), "86986957257fd1589d63172b9bd167e41328b3e5faef3ce3d950c833c7e445f9"},
		{"committed tensor", Tensor(Committed, x), "a2b79cb3e71c0a4158401d8cd674e5ab7acca3288caf619714d016b9ae7b79f5"},
		{"inputs", in, "979d78f4b48265bdf52556eca7a5bbe25a3ca366cc3c8b8cde4a5fba4aba7627"},
		{"outputs", Outputs([][32]byte{Tensor(Public, x)}), "873bee11708359f3f1a11b811e8dfd4257b66d9bfbf99ba0abfcd11fd03c45be"},
		{"digest", Digest(key, model, in, out, []byte("context")), "1580a5dada2c6179cc9cc3db70c84df86233ef27197d750a0b26319f67d549bd"},
		{"without context", Digest(key, model, in, out, nil), "121c8e6fee8a623fa587e079ee540e0a04d5475d6244457b3220b0a2520200ae"},
		{"two outputs", Digest(key, model, Inputs([][32]byte{Tensor(Fold, x)}), Outputs([][32]byte{Tensor(Public, x), point}), []byte("context")),
			"0708baf24363b20203624e1492887d166e0abf26b36732a9eac4d53127e57f9d"},
		{"nothing at all", Digest([32]byte{}, Model(nil), Inputs(nil), Outputs(nil), nil), "1baf9b1d08dd648aa4c622c51bd2ce210aae1be9e79f982e77135cbe96bd9d01"},
		{"many blocks", Digest(key, model, Inputs([][32]byte{Tensor(Public, long)}), out, long), "0302e7008ab2737391cf529fa19ecf5ac60f7818ad477736de282978cdedf06d"},
	} {
		if got := hex.EncodeToString(c.got[:]); got != c.want {
			t.Errorf("%s: %s, expected %s", c.name, got, c.want)
		}
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
