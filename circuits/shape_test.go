package circuits

import (
	"testing"

	"github.com/consensys/gnark/constraint"
)

// What estimates count is what the compiled circuits have: exactly where the plan knows, nearly where
// gadgets differ.
func TestShape(t *testing.T) {
	for _, gc := range gadgetCases() {
		c := compile(t, gc)
		s := c.plan.Shape()
		info := c.system.CommitmentInfo.(constraint.Groth16Commitments)
		if s.Constraints != c.system.GetNbConstraints() || s.Public != c.system.GetNbPublicVariables()-1 || len(s.Committed) != len(info) {
			t.Errorf("%s: %+v, the circuit has %d constraints, %d public inputs, %d commitments", gc.name, s,
				c.system.GetNbConstraints(), c.system.GetNbPublicVariables()-1, len(info))
			continue
		}
		for k := range info {
			if n := len(info[k].PrivateCommitted) - 1; s.Committed[k] != n { // less gnark's mask
				t.Errorf("%s: commitment %d holds %d wires, expected %d", gc.name, k, n, s.Committed[k])
			}
		}
		if s.StatementBytes <= 0 || s.Inverses < 0 || s.Inverses > s.Constraints || s.TableRows > s.Trace {
			t.Errorf("%s: %+v", gc.name, s)
		}
	}
}
