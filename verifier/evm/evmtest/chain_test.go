package evmtest

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/evm"
)

// gasLimit is that of a transaction; mainnet admits no more (EIP-7825).
const gasLimit = 1 << 24

var sender = common.HexToAddress("0x5e4de5")

// chain is a blockchain of one account; every call is a whole transaction in a block of its own.
type chain struct {
	t     *testing.T
	state *state.StateDB
	nonce uint64
}

func newChain(t *testing.T) *chain {
	t.Helper()
	s, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	s.AddBalance(sender, uint256.NewInt(1e18), tracing.BalanceChangeUnspecified)
	return &chain{t: t, state: s}
}

// send applies a transaction and returns what it returned, the gas it cost with everything, and the
// error of the machine.
func (c *chain) send(to *common.Address, data []byte, value int64) ([]byte, uint64, error) {
	c.t.Helper()
	zero := new(big.Int)
	cfg := &runtime.Config{ChainConfig: params.MergedTestChainConfig, Origin: sender, State: c.state, GasLimit: gasLimit,
		GasPrice: zero, BaseFee: zero, BlobBaseFee: zero, Difficulty: zero, BlockNumber: big.NewInt(1), Value: big.NewInt(value),
		Random: &common.Hash{}, GetHashFn: func(uint64) common.Hash { return common.Hash{} }}
	m := &core.Message{To: to, From: sender, Nonce: c.nonce, Value: big.NewInt(value), GasLimit: gasLimit,
		GasPrice: zero, GasFeeCap: zero, GasTipCap: zero, BlobGasFeeCap: zero, Data: data}
	r, err := core.ApplyMessage(runtime.NewEnv(cfg), m, new(core.GasPool).AddGas(gasLimit))
	if err != nil {
		c.t.Fatal(err)
	}
	c.nonce++
	c.state.Finalise(true)
	return r.ReturnData, r.UsedGas, r.Err
}

// deployed is a contract on a chain.
type deployed struct {
	*chain
	at  common.Address
	abi abi.ABI
	gas uint64 // of its deployment
}

// create deploys a contract with encoded arguments.
func (c *chain) create(k *compiled, arguments []byte) (*deployed, error) {
	c.t.Helper()
	at := contractAddress(c.nonce)
	out, gas, err := c.send(nil, append(bytes.Clone(k.create), arguments...), 0)
	if err != nil {
		return nil, &revert{err, out}
	}
	return &deployed{c, at, k.abi, gas}, nil
}

// revert is a failed call with what it returned.
type revert struct {
	error
	data []byte
}

func (r *revert) Unwrap() error { return r.error }

// reason is the name and the first argument of the custom error that err carries.
func (d *deployed) reason(err error) (name, why string) { return reason(d.abi, err) }

func reason(a abi.ABI, err error) (name, why string) {
	var r *revert
	if !errors.As(err, &r) || !errors.Is(err, vm.ErrExecutionReverted) || len(r.data) < 4 {
		return "", ""
	}
	for _, e := range a.Errors {
		if bytes.Equal(e.ID[:4], r.data[:4]) {
			arguments, unpackErr := e.Inputs.Unpack(r.data[4:])
			if unpackErr == nil && len(arguments) == 1 {
				why, _ = arguments[0].(string)
			}
			return e.Name, why
		}
	}
	return "", ""
}

// call sends a transaction with this data.
func (d *deployed) call(data []byte, value int64) ([]byte, uint64, error) {
	d.t.Helper()
	out, gas, err := d.send(&d.at, data, value)
	if err != nil {
		err = &revert{err, out}
	}
	return out, gas, err
}

// do calls a function by name.
func (d *deployed) do(value int64, name string, arguments ...any) ([]any, error) {
	d.t.Helper()
	data, err := d.abi.Pack(name, arguments...)
	if err != nil {
		d.t.Fatal(err)
	}
	out, _, err := d.call(data, value)
	if err != nil {
		return nil, err
	}
	results, err := d.abi.Unpack(name, out)
	if err != nil {
		d.t.Fatal(err)
	}
	return results, nil
}

// get is the one result of a function that must not revert.
func (d *deployed) get(name string, arguments ...any) any {
	d.t.Helper()
	out, err := d.do(0, name, arguments...)
	if err != nil || len(out) != 1 {
		_, why := d.reason(err)
		d.t.Fatalf("%s: %v, %v (%s)", name, out, err, why)
	}
	return out[0]
}

// deploy puts the verifier for a key and a model on a new chain.
func deploy(t *testing.T, mode solcMode, vk verifier.Key, m verifier.Commitment) *deployed {
	t.Helper()
	arguments, err := evm.Constructor(vk, m)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newChain(t).create(contracts(t, mode, vk)["ZkInferVerifier"], arguments)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// classOf is the class, as verifier.Class has it, of the error that a contract reverted with. Every
// failure must have one.
func (d *deployed) classOf(err error) string {
	d.t.Helper()
	if err == nil {
		return ""
	}
	name, _ := d.reason(err)
	class, ok := map[string]string{"MalformedProof": "malformed_proof", "BadStatement": "bad_statement",
		"KeyMismatch": "key_mismatch", "Rejected": "rejected"}[name]
	if !ok {
		return "no class: " + err.Error()
	}
	return class
}

func bigInt(v int64) *big.Int { return big.NewInt(v) }

func contractAddress(nonce uint64) common.Address { return crypto.CreateAddress(sender, nonce) }

func toBig(e fr.Element) *big.Int { return e.BigInt(new(big.Int)) }
