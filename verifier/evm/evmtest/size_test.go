package evmtest

import (
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

// growing are families of keys that get larger with n: by the points of one packed tensor, and by
// tensors of each binding. Ranges of odd sizes, so that every tensor is checked.
var growing = map[string]func(n int) []verifier.TensorSpec{
	"packed elements": func(n int) []verifier.TensorSpec {
		return []verifier.TensorSpec{tensor(31*n, 99, verifier.BindingPacked)}
	},
	"packed tensors":  func(n int) []verifier.TensorSpec { return tensors(n, 1, 99, verifier.BindingPacked) },
	"wide tensors":    func(n int) []verifier.TensorSpec { return tensors(n, 15, 1<<20, verifier.BindingPacked) },
	"folded tensors":  func(n int) []verifier.TensorSpec { return tensors(n, 3000, 99, verifier.BindingFolded) },
	"private tensors": func(n int) []verifier.TensorSpec { return tensors(n, 100, 99, verifier.BindingCommitted) },
}

func tensor(n int, hi int64, b verifier.Binding) verifier.TensorSpec {
	return verifier.TensorSpec{Name: "a tensor", Shape: []int{n}, Type: "int32", Max: hi, Binding: b}
}

func tensors(n, elements int, hi int64, b verifier.Binding) []verifier.TensorSpec {
	out := make([]verifier.TensorSpec, n)
	for i := range out {
		out[i] = tensor(elements, hi, b)
	}
	return out
}

// The largest contract of each family that is written at all can be deployed.
func TestLargestContracts(t *testing.T) {
	contracts(t, optimized, frozen(t, "public").key) // skips where there is no compiler
	for name, inputs := range growing {
		t.Run(name, func(t *testing.T) {
			n := 1
			for ; n < 255; n++ {
				if _, err := evm.Contract(synthetic(t, inputs(n+1))); errors.Is(err, evm.ErrTooLarge) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if n == 1 || n == 255 {
				t.Fatalf("no bound, or none above %d", n)
			}
			vk := synthetic(t, inputs(n))
			for _, mode := range []solcMode{optimized, {name: "via IR", viaIR: true, optimized: true}} {
				k := contracts(t, mode, vk)["ZkInferVerifier"]
				t.Logf("%s: %d, %d bytes of code %s", name, n, k.runtime, mode.name)
				if k.runtime > evm.MaxCode {
					t.Errorf("%d %s: %d bytes of code, at most %d", n, name, k.runtime, evm.MaxCode)
				}
			}
		})
	}
}

// synthetic is a key of the right form with arbitrary points.
func synthetic(t *testing.T, inputs []verifier.TensorSpec) *verifier.VerifyingKey {
	t.Helper()
	_, _, g1, g2 := bn254.Generators()
	var seed int64
	next := func() (p bn254.G1Affine) {
		seed += 7919
		p.ScalarMultiplication(&g1, big.NewInt(seed))
		return p
	}
	vk := &verifier.VerifyingKey{Alpha: next(), Beta: g2, Gamma: g2, Delta: g2, FoldRows: 16, Inputs: inputs,
		Outputs: []verifier.TensorSpec{tensor(1, 99, verifier.BindingPacked)}}
	public := 2 // S and the output
	vk.Commitments = []verifier.CommitmentKey{{Role: verifier.RoleTrace}, {Role: verifier.RoleParameters, H: next()}}
	for i := range inputs {
		switch inputs[i].Binding {
		case verifier.BindingCommitted:
			vk.Commitments = append(vk.Commitments, verifier.CommitmentKey{Role: verifier.RoleInput, Tensor: i, H: next()})
		case verifier.BindingFolded:
			vk.Commitments[1].Base = next()
		default:
			per := 31 / inputs[i].Width()
			public += (inputs[i].Len() + per - 1) / per
		}
	}
	for k := range vk.Commitments {
		covers := public + k
		if k == 0 {
			covers = 1
		}
		vk.Commitments[k].G, vk.Commitments[k].GSigmaNeg, vk.Commitments[k].PublicCommitted = g2, g2, []int{covers}
	}
	for range 1 + public + len(vk.Commitments) {
		vk.K = append(vk.K, next())
	}
	return vk
}
