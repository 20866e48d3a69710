package ceremony

import (
	"bytes"
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// Outcome is what a finished ceremony gives.
type Outcome struct {
	ProvingKey   *groth16.ProvingKey
	VerifyingKey *groth16.VerifyingKey
	Digest       [32]byte // of the transcript
}

// Verify checks a transcript from its first file to its last, for the circuit that the caller has
// compiled itself. The outcome is nil as long as the ceremony is not finished. Errors wrap ErrRejected
// where somebody cheated.
func (c *Ceremony) Verify(ctx context.Context, system *cs.R1CS) (*Outcome, error) {
	r := &replay{ceremony: c, system: system}
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	end := len(c.Entries) - 1
	if c.Entries[end].Step != StepEnd {
		return nil, nil
	}
	return r.seal2(ctx, c.Entries[end].previous, c.Entries[end].Beacon)
}

// replay makes a ceremony again, but for the secrets: what contributors give is checked, everything
// else computed.
type replay struct {
	ceremony *Ceremony
	system   *cs.R1CS

	p1          *mpcsetup.Phase1
	powers      *mpcsetup.SrsCommons
	p2          *mpcsetup.Phase2
	evaluations *mpcsetup.Phase2Evaluations
}

// run checks all steps but the end.
func (r *replay) run(ctx context.Context) error {
	c := r.ceremony
	if err := c.CheckCircuit(r.system); err != nil {
		return err
	}
	if err := r.phase1(ctx); err != nil {
		return err
	}
	i := c.index(StepCircuit)
	if i < 0 {
		return nil
	}
	if err := r.circuit(ctx, &c.Entries[i]); err != nil {
		return err
	}
	return r.phase2(ctx)
}

// index is that of the first entry of a step, −1 if there is none.
func (c *Ceremony) index(s Step) int {
	for i := range c.Entries {
		if c.Entries[i].Step == s {
			return i
		}
	}
	return -1
}

// phase1 checks every contribution to phase 1, or the powers that take its place.
func (r *replay) phase1(ctx context.Context) error {
	r.p1 = mpcsetup.NewPhase1(uint64(r.ceremony.Shape.domain()))
	for i := range r.ceremony.Entries {
		e := &r.ceremony.Entries[i]
		var check func(*Entry, []byte) error
		switch e.Step {
		case StepPowers:
			check = r.checkPowers
		case StepPhase1:
			check = r.contribution1
		default:
			continue
		}
		if err := r.checked(ctx, e, check); err != nil {
			return err
		}
	}
	return nil
}

// phase2 checks every contribution to phase 2.
func (r *replay) phase2(ctx context.Context) error {
	for i := range r.ceremony.Entries {
		if e := &r.ceremony.Entries[i]; e.Step == StepPhase2 {
			if err := r.checked(ctx, e, r.contribution2); err != nil {
				return err
			}
		}
	}
	return nil
}

// checked reads an entry's points and has them checked; errors say which entry it is.
func (r *replay) checked(ctx context.Context, e *Entry, check func(*Entry, []byte) error) error {
	_, err := await(ctx, func() (struct{}, error) {
		body, err := r.ceremony.body(e)
		if err != nil {
			return struct{}{}, err
		}
		if err := check(e, body); err != nil {
			return struct{}{}, fmt.Errorf("%s%s: %w", e.File, by(e.Name), err)
		}
		return struct{}{}, nil
	})
	return err
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" by %q", name)
}

func (r *replay) checkPowers(_ *Entry, body []byte) (err error) {
	if r.powers, err = r.ceremony.Shape.decodePowers(body); err != nil {
		return err
	}
	if err := checkPowers(r.powers); err != nil {
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	return nil
}

func (r *replay) contribution1(e *Entry, body []byte) error {
	s := &r.ceremony.Shape
	next, err := s.decodePhase1(body)
	if err != nil {
		return err
	}
	if err := refuseTrivial(s.updates1(body)); err != nil {
		return err
	}
	r.p1.Challenge = binding(e.previous, e.Name)
	if err := r.p1.Verify(next); err != nil {
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	r.p1 = next
	return nil
}

func (r *replay) contribution2(e *Entry, body []byte) error {
	s := &r.ceremony.Shape
	next, err := s.decodePhase2(body, challengeSize)
	if err != nil {
		return err
	}
	if err := refuseTrivial(s.updates2(body)); err != nil {
		return err
	}
	r.p2.Challenge = binding(e.previous, e.Name)
	if err := r.p2.Verify(next); err != nil {
		return fmt.Errorf("%w: %w", ErrRejected, err)
	}
	r.p2 = next
	return nil
}

// refuseTrivial rejects a contribution that multiplies by 1, or two secrets by the same: gnark would
// take both. Each secret must have a factor of its own that its contributor drew.
func refuseTrivial(factors [][]byte) error {
	_, _, one, _ := bn254.Generators()
	seen := one.Bytes()
	known := [][]byte{seen[:]}
	for i, f := range factors {
		for k, other := range known {
			if bytes.Equal(f, other) && k == 0 {
				return fmt.Errorf("%w: factor %d is 1, it contributes nothing", ErrRejected, i)
			} else if bytes.Equal(f, other) {
				return fmt.Errorf("%w: factors %d and %d are the same", ErrRejected, k-1, i)
			}
		}
		known = append(known, f)
	}
	return nil
}

// seal1 ends phase 1 with a random value.
func (r *replay) seal1(ctx context.Context, previous, beacon []byte) error {
	powers, err := await(ctx, func() (mpcsetup.SrsCommons, error) {
		r.p1.Challenge = binding(previous, "")
		return r.p1.Seal(beacon), nil
	})
	r.powers = &powers
	return err
}

// circuit checks what phase 2 began with: nobody has a choice there.
func (r *replay) circuit(ctx context.Context, e *Entry) error {
	if r.powers == nil {
		if err := r.seal1(ctx, e.previous, e.Beacon); err != nil {
			return err
		}
	}
	return r.checked(ctx, e, func(_ *Entry, body []byte) error {
		c, err := r.ceremony.Shape.decodeCircuit(body)
		if err != nil {
			return err
		}
		r.p2, r.evaluations = c.p2, c.ofGnark(r.system)
		return c.check(r.system, r.powers)
	})
}

// seal2 ends phase 2 with a random value, which gives the keys.
func (r *replay) seal2(ctx context.Context, previous, beacon []byte) (*Outcome, error) {
	digest := r.ceremony.Digest()
	return await(ctx, func() (*Outcome, error) {
		r.p2.Challenge = binding(previous, "")
		pk, vk := r.p2.Seal(r.powers, r.evaluations, beacon)
		return &Outcome{ProvingKey: pk.(*groth16.ProvingKey), VerifyingKey: vk.(*groth16.VerifyingKey), Digest: digest}, nil
	})
}
