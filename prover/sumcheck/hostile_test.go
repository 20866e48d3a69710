package sumcheck

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkinfer/zkinfer/claims"
	"github.com/zkinfer/zkinfer/internal/allocation"
	"github.com/zkinfer/zkinfer/model/modeltest"
	"github.com/zkinfer/zkinfer/prover"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/wrapped"
)

// numbers are all places of a value that hold an integer, and the lists that can lose or repeat an element.
func numbers(v reflect.Value, visit func(v reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			numbers(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				numbers(v.Field(i), visit)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.CanSet() && v.Kind() == reflect.Slice {
			visit(v)
		}
		for i := range v.Len() {
			numbers(v.Index(i), visit)
		}
	case reflect.Int, reflect.Int64, reflect.Uint:
		visit(v)
	}
}

// extreme are integers that a description had better not hold, and some that it might.
var extreme = []int64{-1, 0, 1, 2, 3, 7, 8, 63, 64, 255, 1 << 10, 1<<10 - 1, 1 << 16, 1<<20 - 1, 1 << 24, 1 << 27, 1 << 32, 1 << 40, math.MaxInt64, math.MinInt64}

// hurt changes one integer or list.
func hurt(r *rand.Rand, v reflect.Value) {
	if v.Kind() == reflect.Uint {
		v.SetUint(uint64(r.IntN(70)))
		return
	}
	if v.Kind() != reflect.Slice {
		v.SetInt(extreme[r.IntN(len(extreme))])
		return
	}
	if v.Len() == 0 {
		return
	}
	if r.IntN(2) == 0 {
		v.Set(v.Slice(0, v.Len()-1))
		return
	}
	for range 1 << r.IntN(8) {
		v.Set(reflect.Append(v, v.Index(r.IntN(v.Len()))))
	}
}

// TestHostileArchitectures: real architectures with some numbers and lists changed are refused, or can be run: a verifier ends
// with an error, without a panic, and without much memory.
func TestHostileArchitectures(t *testing.T) {
	const limit = 1 << 30 // an element is 32 bytes; see the limit of costs in package claims
	r := rand.New(rand.NewPCG(5, 6))
	refused, run, most := 0, 0, uint64(0)
	for _, c := range modeltest.Cases() {
		m, err := newModel(c.Build(rand.New(rand.NewPCG(1, 2))), prover.Options{PrivateInput: c.Private, PrivateOutput: c.Private})
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.architecture.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			spent := allocation.Of(func() {
				if a := mutated(t, r, b); a == nil {
					refused++
				} else if size := a.ProofSize(); size < 1<<22 {
					run++
					ran(a)
				}
			})
			if most = max(most, spent); spent > limit {
				t.Errorf("%s: %d MB", c.Name, spent>>20)
			}
		}
	}
	t.Logf("%d refused, %d run, at most %d MB", refused, run, most>>20)
	if refused < 100 || run < 100 {
		t.Error("that means little")
	}
}

// mutated is an architecture with up to three changes, nil if that is refused.
func mutated(t *testing.T, r *rand.Rand, b []byte) *wrapped.Architecture {
	t.Helper()
	a, err := wrapped.DecodeArchitecture(b)
	if err != nil {
		t.Fatal(err)
	}
	for range 1 + r.IntN(3) {
		var at []reflect.Value
		numbers(reflect.ValueOf(a), func(v reflect.Value) { at = append(at, v) })
		hurt(r, at[r.IntN(len(at))])
	}
	changed, err := a.Encode()
	if err != nil {
		return nil
	}
	out, err := wrapped.DecodeArchitecture(changed)
	if err != nil && !errors.Is(err, verifier.ErrMalformed) {
		t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	return out
}

// ran runs a verifier on messages of zeros.
func ran(a *wrapped.Architecture) {
	public := make([][]int64, len(a.Network.Public))
	for i := range public {
		public[i] = make([]int64, a.Network.Public[i].Len())
	}
	v := claims.NewVerifier([32]byte{}, make([]fr.Element, a.Messages))
	if o, err := a.Run(v, public, nil, nil); err == nil {
		_, _ = classOf(a.RowBits).PublicForm(v, o)
	}
}
