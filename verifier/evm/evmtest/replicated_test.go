package evmtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/zkinfer/zkinfer/model"
)

// layer is a dense layer as the contracts of testdata/DenseLayer.sol compute it.
type layer struct {
	inputs, outputs int
	weights         []int64 // a row an output
}

const layerShift = 9

// What it costs that every node runs a dense layer instead of checking a proof: gas a product and an output, written plainly and
// packed, and gas for the weights once. testdata/replicated.golden has it; UPDATE_GOLDEN=1 writes it anew.
func TestReplicatedExecution(t *testing.T) {
	source, err := os.ReadFile("testdata/DenseLayer.sol")
	if err != nil {
		t.Fatal(err)
	}
	code := compile(t, optimized, map[string][]byte{"DenseLayer.sol": source}, false)
	var table strings.Builder
	fmt.Fprintf(&table, "%-8s %10s %10s %10s %10s %16s %18s\n", "contract", "a product", "an output", "an input", "the rest", "128×32 in all", "to store a weight")
	for _, c := range []struct {
		name   string
		encode func(*layer) []byte
	}{{"Plain", (*layer).plain}, {"Packed", (*layer).packed}} {
		// gas = rest + inputs·i + outputs·o + products·p: four layers tell the four.
		var run, store [2][2]float64
		for i, inputs := range []int{64, 128} {
			for o, outputs := range []int{16, 32} {
				l := newLayer(inputs, outputs)
				run[i][o], store[i][o] = l.measure(t, code[c.name+"Dense"], c.encode(l))
			}
		}
		product := (run[1][1] - run[1][0] - run[0][1] + run[0][0]) / (64 * 16)
		output := (run[0][1]-run[0][0])/16 - 64*product
		input := (run[1][0]-run[0][0])/64 - 16*product
		rest := run[0][0] - 64*input - 16*output - 64*16*product
		fmt.Fprintf(&table, "%-8s %10.2f %10.1f %10.1f %10.0f %16.0f %18.1f\n", c.name, product, output, input, rest, run[1][1], (store[1][1]-store[1][0])/(128*16))
	}
	t.Logf("\n%s", table.String())
	compareTable(t, "testdata/replicated.golden", table.String())
}

func newLayer(inputs, outputs int) *layer {
	l := &layer{inputs: inputs, outputs: outputs}
	for i := range inputs * outputs {
		l.weights = append(l.weights, int64(i*i*7+i*3)%256-128)
	}
	return l
}

func (l *layer) input() []int64 {
	x := make([]int64, l.inputs)
	for i := range x {
		x[i] = int64(i*37+11)%256 - 128
	}
	return x
}

func (l *layer) plain() []byte { return int8s(l.weights) }

func int8s(values []int64) (b []byte) {
	for _, v := range values {
		b = append(b, byte(v))
	}
	return b
}

// packed are rows of a word for the correction and of words with eight weights each, the first one lowest.
func (l *layer) packed() (b []byte) {
	for row := range l.outputs {
		w := l.weights[row*l.inputs:][:l.inputs]
		correction := int64(-128 * 128 * l.inputs)
		for _, v := range w {
			correction -= 128 * v
		}
		b = append(b, bytes.Repeat([]byte{0xff}, 24)...) // it is negative
		b = binary.BigEndian.AppendUint64(b, uint64(correction))
		for ; len(w) > 0; w = w[8:] {
			for j := 7; j >= 0; j-- {
				b = binary.BigEndian.AppendUint32(b, uint32(w[j]+128))
			}
		}
	}
	return b
}

// measure deploys a layer and runs it once: its answer is that of the model's executor.
func (l *layer) measure(t *testing.T, c *compiled, data []byte) (run, deployment float64) {
	t.Helper()
	arguments, err := c.abi.Pack("", data, bigInt(int64(l.inputs)), bigInt(int64(l.outputs)), big.NewInt(layerShift))
	if err != nil {
		t.Fatal(err)
	}
	d, err := newChain(t).create(c, arguments)
	if err != nil {
		t.Fatal(err)
	}
	call, err := c.abi.Pack("run", int8s(l.input()))
	if err != nil {
		t.Fatal(err)
	}
	out, gas, err := d.call(call, 0)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.abi.Unpack("run", out)
	if err != nil {
		t.Fatal(err)
	}
	if want := int8s(l.expected()); !bytes.Equal(answer[0].([]byte), want) {
		t.Errorf("%d×%d: %x, expected %x", l.inputs, l.outputs, answer[0], want)
	}
	return float64(gas), float64(d.gas)
}

func (l *layer) expected() []int64 {
	dense := &model.Dense{OutN: l.outputs, Weights: l.weights, Bias: make([]int64, l.outputs),
		Rescale: model.Rescale{Shift: layerShift, QMin: -1 << 20, QMax: 1 << 20, Table: model.ClampTable(-8192, 8191, -128, 127)}}
	in := model.Tensor{Shape: []int{l.inputs}, Min: -128, Max: 127}
	out, _ := dense.Eval([][]int64{l.input()}, []model.Tensor{in}, model.Tensor{Shape: []int{l.outputs}})
	return out
}
