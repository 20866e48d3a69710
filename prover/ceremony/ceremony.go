package ceremony

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkinfer/zkinfer/internal/envelope"
)

// Entry is a file of a transcript.
type Entry struct {
	Step   Step
	Number int
	File   string // its name in the folder
	Bytes  int64
	Digest [32]byte // SHA-256 of the file
	Name   string   // of the contributor
	Beacon []byte
	Source *Source // of powers

	previous []byte
}

// Ceremony is a transcript in a folder. Files are only ever added.
type Ceremony struct {
	Dir     string
	Entries []Entry
	Description
}

const extension = ".zkt"

// FirstFile is in every transcript's folder.
const FirstFile = "0000-" + string(StepInit) + extension

var fileName = regexp.MustCompile(`^[0-9]{4}-[a-z0-9]+\.zkt$`)

func nameOf(number int, step Step) string { return fmt.Sprintf("%04d-%s%s", number, step, extension) }

// Create begins a ceremony in a new folder, which appears whole or not at all. Shape, constraints and
// circuit of the description are filled in. Without ptau (the path of a .ptau file), the ceremony has a
// phase 1 of its own.
func Create(ctx context.Context, dir string, system *cs.R1CS, d Description, ptau string) (*Ceremony, error) {
	if _, err := os.Lstat(dir); err == nil {
		return nil, fmt.Errorf("%w: %s; a transcript is never replaced, name another folder", envelope.ErrExists, dir)
	}
	var err error
	if d.Shape, err = ShapeOf(system); err != nil {
		return nil, err
	}
	digest := CircuitDigest(system)
	d.Circuit, d.Constraints = digest[:], system.GetNbConstraints()
	tmp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".zkinfer-ceremony-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return nil, err
	}
	c := &Ceremony{Dir: tmp, Description: d}
	if err := c.append(ctx, &header{Step: StepInit, Description: &d}, nil); err != nil {
		return nil, err
	}
	if ptau != "" {
		if err := c.importPowers(ctx, system, ptau); err != nil {
			return nil, err
		}
	}
	c.Dir = dir
	return c, os.Rename(tmp, dir)
}

// Open reads a transcript: every file is read, its frame and digests checked, that they follow one
// another, and that nothing is missing. Points are not looked at: Verify does that.
func Open(dir string) (*Ceremony, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the ceremony: %w", err)
	}
	c := &Ceremony{Dir: dir}
	for _, f := range files {
		if filepath.Ext(f.Name()) != extension || f.Name()[0] == '.' {
			continue
		}
		if !fileName.MatchString(f.Name()) {
			return nil, fmt.Errorf("%w: %s is not named as a file of a transcript is", ErrMalformed, f.Name())
		}
		err := c.read(f.Name())
		if errors.Is(err, ErrOrder) || errors.Is(err, ErrBeacon) { // nothing that a caller did
			err = fmt.Errorf("%w: %v", ErrMalformed, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	if len(c.Entries) == 0 {
		return nil, fmt.Errorf("%w: %s holds no ceremony; zkinfer ceremony init makes one", ErrMalformed, dir)
	}
	return c, nil
}

// read adds a file, which must be the next.
func (c *Ceremony) read(name string) error {
	h, _, size, digest, err := c.load(name)
	if err != nil {
		return err
	}
	if name != nameOf(len(c.Entries), h.Step) || h.Number != len(c.Entries) {
		return fmt.Errorf("%w: it is step %d, %q; expected step %d in a file of its name: files are missing, renamed or too many",
			ErrMalformed, h.Number, h.Step, len(c.Entries))
	}
	if h.Step == StepInit {
		c.Description = *h.Description
	}
	return c.add(h, size, digest)
}

func (c *Ceremony) add(h *header, size int64, digest [32]byte) error {
	if err := c.may(h.Step); err != nil {
		return err
	}
	if !bytes.Equal(h.Previous, c.last()) {
		return fmt.Errorf("%w: it was made for another predecessor, with digest %x; the one here has %x", ErrRejected, h.Previous, c.last())
	}
	if h.Step == StepCircuit && (len(h.Beacon) == 0) != (c.step() == StepPowers) {
		return fmt.Errorf("%w: a random value of %d bytes ends phase 1 after step %q", ErrMalformed, len(h.Beacon), c.step())
	}
	if h.Step == StepEnd {
		if err := c.freshBeacon(h.Beacon); err != nil {
			return err
		}
	}
	c.Entries = append(c.Entries, Entry{Step: h.Step, Number: h.Number, File: nameOf(h.Number, h.Step), Bytes: size, Digest: digest,
		Name: h.Name, Beacon: h.Beacon, Source: h.Source, previous: h.Previous})
	return nil
}

// may errs where a step is not one that comes next.
func (c *Ceremony) may(s Step) error {
	if slices.Contains(follows[c.step()], s) {
		return nil
	}
	switch {
	case c.step() == StepEnd:
		return fmt.Errorf("%w: the ceremony is finished", ErrOrder)
	case s == StepCircuit:
		return fmt.Errorf("%w: phase 2 begins once, after at least one contribution to phase 1; the last step was %q", ErrOrder, c.step())
	case s == StepEnd:
		return fmt.Errorf("%w: a ceremony is finished after at least one contribution to phase 2; the last step was %q", ErrOrder, c.step())
	}
	return fmt.Errorf("%w: step %q cannot follow %q", ErrOrder, s, c.step())
}

// step is the last step, "" of an empty transcript.
func (c *Ceremony) step() Step {
	if len(c.Entries) == 0 {
		return ""
	}
	return c.Entries[len(c.Entries)-1].Step
}

// last is the digest of the last file, nil of an empty transcript.
func (c *Ceremony) last() []byte {
	if len(c.Entries) == 0 {
		return nil
	}
	return c.Entries[len(c.Entries)-1].Digest[:]
}

// beacon is the random value of a step, nil if the step is not done.
func (c *Ceremony) beacon(s Step) []byte {
	for i := range c.Entries {
		if c.Entries[i].Step == s {
			return c.Entries[i].Beacon
		}
	}
	return nil
}

// freshBeacon errs where a random value cannot end phase 2.
func (c *Ceremony) freshBeacon(b []byte) error {
	if bytes.Equal(b, c.beacon(StepCircuit)) {
		return fmt.Errorf("%w: it is that of phase 1, which all contributors to phase 2 knew", ErrBeacon)
	}
	return CheckBeacon(b)
}

// Phase is 1 or 2, and 3 of a finished ceremony.
func (c *Ceremony) Phase() int {
	switch c.step() {
	case StepCircuit, StepPhase2:
		return 2
	case StepEnd:
		return 3
	}
	return 1
}

// Contributions are the contributions to a phase.
func (c *Ceremony) Contributions(phase int) []Entry {
	want := map[int]Step{1: StepPhase1, 2: StepPhase2}[phase]
	var out []Entry
	for _, e := range c.Entries {
		if e.Step == want {
			out = append(out, e)
		}
	}
	return out
}

// Digest is that of the whole transcript: every file holds the digest of the one before.
func (c *Ceremony) Digest() [32]byte { return [32]byte(c.last()) }

// bodyLayout is the layout of a step's points.
func (c *Ceremony) bodyLayout(s Step) layout {
	switch s {
	case StepPowers:
		return c.Shape.powers()
	case StepPhase1:
		return c.Shape.phase1()
	case StepCircuit:
		return c.Shape.circuit()
	case StepPhase2:
		return c.Shape.phase2(challengeSize)
	}
	return nil
}

// load reads and opens a file whose size must be that of its step.
func (c *Ceremony) load(name string) (h *header, body []byte, size int64, digest [32]byte, err error) {
	limit := int64(maxHeaderBytes + frameBytes)
	if len(c.Entries) > 0 { // else its shape is not known yet
		for s := range follows {
			limit = max(limit, maxHeaderBytes+frameBytes+c.bodyLayout(s).bytes())
		}
	}
	b, err := readFile(filepath.Join(c.Dir, name), limit)
	if err != nil {
		return nil, nil, 0, digest, err
	}
	h, body, err = decodeEntry(b)
	if err != nil {
		return nil, nil, 0, digest, err
	}
	if want := c.bodyLayout(h.Step).bytes(); int64(len(body)) != want {
		return nil, nil, 0, digest, fmt.Errorf("%w: step %q holds %d bytes of points, expected %d", ErrMalformed, h.Step, len(body), want)
	}
	return h, body, int64(len(b)), sha256.Sum256(b), nil
}

// readFile reads a regular file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit { // opening a pipe would wait
		return nil, fmt.Errorf("%w: %d bytes, expected a regular file of at most %d", ErrMalformed, info.Size(), limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%w: it grows", ErrMalformed)
	}
	return b, err
}

// body reads the points of an entry again: the file must still be the one that was opened.
func (c *Ceremony) body(e *Entry) ([]byte, error) {
	_, body, _, digest, err := c.load(e.File)
	if err == nil && digest != e.Digest {
		err = fmt.Errorf("%w: it was changed meanwhile", ErrMalformed)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.File, err)
	}
	return body, nil
}

// append writes the next file: whole, or not at all.
func (c *Ceremony) append(ctx context.Context, h *header, body []byte) error {
	h.Number, h.Previous = len(c.Entries), c.last()
	b, err := encodeEntry(h, body)
	if err != nil {
		return err
	}
	after := *c
	after.Entries = slices.Clone(c.Entries)
	if err := after.add(h, int64(len(b)), sha256.Sum256(b)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = envelope.WriteFile(filepath.Join(c.Dir, nameOf(h.Number, h.Step)), false, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if errors.Is(err, envelope.ErrExists) || errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: somebody else added a step meanwhile; try again after it", err)
	}
	if err != nil {
		return err
	}
	c.Entries = after.Entries
	return nil
}

// await runs f, which cannot be stopped, and returns early when ctx ends; f's result is then dropped.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}
