package estimate

import "github.com/zkinfer/zkinfer/model"

// Replicated is what it costs instead that every node runs the model, whose weights all then see: for
// one node, but for cycles, which pay for a subnet. Each figure is given for plain code and at the least:
// for the best that was written for its products, as if the whole model were such.
type Replicated struct {
	Native                    *Cost `json:"native_seconds,omitempty"` // measured, on one core; nil where nothing was run
	CanisterInstructions      int64 `json:"canister_instructions"`
	CanisterInstructionsLeast int64 `json:"canister_instructions_least"`
	CanisterCycles            int64 `json:"canister_cycles"`
	CanisterCyclesLeast       int64 `json:"canister_cycles_least"`
	EVMGas                    int64 `json:"evm_gas"`
	EVMGasLeast               int64 `json:"evm_gas_least"`
	// What it costs once to have the weights there, a byte each.
	EVMGasWeights int64 `json:"evm_gas_weights"`
}

// What verifier/canister/test measures (testdata/replicated.json): package model as a canister, fitted to its models within a
// quarter; and a loop over the products of an int8 layer, written by hand without vector instructions.
const (
	instructionsPerDenseProduct  = 34.4
	instructionsPerWindowProduct = 60.4
	instructionsPerActivation    = 520
	instructionsPerProductLeast  = 7.79
)

// What verifier/evm/evmtest measures (testdata/replicated.golden): a dense int8 layer in Solidity as one writes it, with
// requantization for each output; and the same with eight products in one multiplication, where each output is an input that the
// next layer packs.
const (
	gasOfCall             = 25000
	gasPerInput           = 16
	gasPerProduct         = 183
	gasPerActivation      = 322
	gasPerInputLeast      = 196
	gasPerProductLeast    = 6.67
	gasPerActivationLeast = 472 + gasPerInputLeast
	gasPerWeight          = 217 // stored as the code of a contract
)

// NewReplicated estimates the model run by everybody. native is what one run took here, nil for none.
func NewReplicated(g *model.Graph, native *Cost) *Replicated {
	var inputs, dense, window, activations, weights float64
	for _, id := range g.Inputs {
		inputs += float64(g.Tensors[id].Len())
	}
	for _, n := range g.Nodes {
		out := g.Tensors[n.Out]
		products := float64(n.Op.MACs(g.Operands(n), out))
		if _, is := n.Op.(*model.Dense); is {
			dense += products
		} else {
			window += products
		}
		if _, moves := n.Op.(model.Rearrangement); !moves {
			activations += float64(out.Len())
		}
		for _, p := range n.Op.Params() {
			weights += float64(len(*p.Values))
		}
	}
	r := &Replicated{
		Native: native,
		CanisterInstructions: int64(instructionsPerDenseProduct*dense + instructionsPerWindowProduct*window +
			instructionsPerActivation*activations),
		CanisterInstructionsLeast: int64(instructionsPerProductLeast * (dense + window)),
		EVMGas:                    int64(gasOfCall + gasPerInput*inputs + gasPerProduct*(dense+window) + gasPerActivation*activations),
		EVMGasLeast:               int64(gasOfCall + gasPerInputLeast*inputs + gasPerProductLeast*(dense+window) + gasPerActivationLeast*activations),
		EVMGasWeights:             int64(gasPerWeight * weights),
	}
	r.CanisterCycles, r.CanisterCyclesLeast = canisterCall+r.CanisterInstructions, canisterCall+r.CanisterInstructionsLeast
	return r
}
