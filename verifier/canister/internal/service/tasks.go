package service

import (
	"errors"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/zkinfer/zkinfer/internal/statement"
	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/candid"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/store"
)

// Places in a task's record.
const (
	taskKey        = 1
	taskSettlement = 7
)

// taskID names what is asked: a model, its inputs and a context, under a key. The answer is not part of
// it, so whoever has a proof finds the task that it settles.
func (s *Service) taskID(c *claim) [32]byte {
	inputs := candid.Encode([]*candid.Type{tensorsType}, []any{tensorCases(c.statement.Inputs)})
	context := statement.Keccak(c.statement.Context)
	return statement.Keccak([]byte("zkinfer/canister/task/1"), s.keyDigest[:], c.model[:], context[:], inputs)
}

func (s *Service) openTask(argument []byte) ([]byte, error) {
	values, err := candid.Decode(argument, openType)
	if err != nil {
		return nil, err
	}
	id, err := s.open(values[0].([]any))
	return result(candid.Blob, id[:], err)
}

func (s *Service) open(v []any) (id [32]byte, err error) {
	if err := s.mayWrite(); err != nil {
		return id, err
	}
	c := &claim{}
	if c.model, err = s.modelOr(v[0]); err != nil {
		return id, err
	}
	if c.statement.Inputs, err = tensors(v[1].([]any)); err != nil {
		return id, err
	}
	c.statement.Context = v[2].([]byte)
	settlement, err := s.provable(c)
	if err != nil {
		return id, err
	}
	return s.addTask(c, settlement)
}

// provable refuses a task that no proof can settle: it asks for the digest of a statement with these
// inputs and any outputs that the key admits. It returns what settling will add to the task's record, at most.
func (s *Service) provable(c *claim) (settlement int, err error) {
	m, err := s.registered(c.model)
	if err != nil {
		return 0, err
	}
	about, err := s.key.Subject(m.Commitment())
	if err != nil {
		return 0, err
	}
	_, _, generator, _ := bn254.Generators()
	trial := *c
	for i := range about.Outputs {
		spec := &about.Outputs[i]
		if spec.Binding == verifier.BindingCommitted {
			points := slices.Repeat([]bn254.G1Affine{generator}, spec.CommitmentPoints())
			trial.statement.Outputs = append(trial.statement.Outputs, verifier.TensorValue{Commitment: points})
			continue
		}
		values := make([]int64, spec.Len())
		for k := range values {
			values[k] = spec.Min
		}
		trial.statement.Outputs = append(trial.statement.Outputs, verifier.TensorValue{Values: values})
	}
	_, err = verifier.StatementDigest(s.key, m.Commitment(), &trial.statement)
	return settlementSize(about), err
}

func (s *Service) addTask(c *claim, settlement int) ([32]byte, error) {
	id := s.taskID(c)
	record := encodeTask([]any{id[:], s.keyDigest[:], c.model[:], tensorCases(c.statement.Inputs), c.statement.Context,
		s.sys.Caller(), s.sys.Time(), nil})
	err := s.store.Tree(treeTasks).Insert(id, record, settlement)
	if errors.Is(err, store.ErrExists) {
		return id, refuse("task_exists", "task %x… is open or settled already; a task of its own needs a context of its own", id[:4])
	}
	if err != nil {
		return id, err
	}
	s.store.Count(countTasks)
	s.certify()
	return id, nil
}

// settlementSize is what settling a task adds to its record, at most.
func settlementSize(about *verifier.Subject) int {
	const principal, statement, overhead = 32, 40, 64
	n := about.ProofSize + principal + statement + overhead
	for i := range about.Outputs {
		spec := &about.Outputs[i]
		n += 48
		if spec.Binding == verifier.BindingCommitted {
			n += bn254.SizeOfG1AffineCompressed * (spec.CommitmentPoints() - 1)
		} else {
			n += 4 * spec.Len()
		}
	}
	return n
}

func encodeTask(record []any) []byte { return candid.Encode([]*candid.Type{taskType}, []any{record}) }

// storedTask is a task's record, in the order of taskType.
func (s *Service) storedTask(id [32]byte) ([]any, error) {
	b, err := s.store.Tree(treeTasks).Get(id)
	if err != nil {
		return nil, refuse("unknown_task", "there is no task %x…", id[:4])
	}
	values, err := candid.Decode(b, taskType)
	if err != nil {
		return nil, err
	}
	return values[0].([]any), nil
}

// settle takes a proof for the task of its model, inputs and context.
func (s *Service) settle(argument []byte) ([]byte, error) {
	values, err := candid.Decode(argument, proofType)
	if err != nil {
		return nil, err
	}
	task, err := s.settleClaim(values[0].(candid.Case))
	return result(taskType, task, err)
}

// settleClaim asks what is cheap to find out before it verifies.
func (s *Service) settleClaim(proof candid.Case) (any, error) {
	c, err := s.claimOf(proof)
	if err != nil {
		return nil, err
	}
	id := s.taskID(c)
	task, err := s.storedTask(id)
	if err != nil {
		return nil, err
	}
	if task[taskSettlement] != nil {
		return nil, refuse("already_settled", "task %x… is settled; each task is settled once", id[:4])
	}
	digest, err := s.check(c)
	if err != nil {
		return nil, err
	}
	// A private output has many commitments, so one task has many statements: the first one counts.
	task[taskSettlement] = []any{digest[:], tensorCases(c.statement.Outputs), c.proof, s.sys.Caller(), s.sys.Time()}
	return task, s.storeSettlement(id, digest, task)
}

func (s *Service) storeSettlement(id, digest [32]byte, task []any) error {
	if err := s.store.Tree(treeStatements).Insert(digest, id[:], 0); err != nil {
		if errors.Is(err, store.ErrExists) {
			return refuse("already_settled", "statement %x… has settled a task", digest[:4])
		}
		return err
	}
	if err := s.store.Tree(treeTasks).Update(id, encodeTask(task)); err != nil {
		return err
	}
	s.store.Count(countSettled)
	s.certify()
	return nil
}

func (s *Service) task(argument []byte) ([]byte, error) {
	id, err := oneDigest(argument)
	if err != nil {
		return nil, err
	}
	task, err := s.storedTask(id)
	return result(taskType, task, err)
}

// oneDigest is an argument that is a digest; anything else is an error of the program that calls.
func oneDigest(argument []byte) (id [32]byte, err error) {
	values, err := candid.Decode(argument, candid.Blob)
	if err != nil {
		return id, err
	}
	return digest(values[0].([]byte))
}

func (s *Service) taskOfStatement(argument []byte) ([]byte, error) {
	d, err := oneDigest(argument)
	if err != nil {
		return nil, err
	}
	id, err := s.store.Tree(treeStatements).Get(d)
	if err != nil {
		err = refuse("unknown_task", "no task was settled with statement %x…", d[:4])
	}
	return result(candid.Blob, id, err)
}

// certifiedTask answers with what a client can check without trusting the replica that answers.
func (s *Service) certifiedTask(argument []byte) ([]byte, error) {
	id, err := oneDigest(argument)
	if err != nil {
		return nil, err
	}
	tree := s.store.Tree(treeTasks)
	record, err := tree.Get(id)
	if err != nil {
		return result(certifiedType, nil, refuse("unknown_task", "there is no task %x…", id[:4]))
	}
	witness, err := tree.Witness([]byte(TasksLabel), id)
	if err != nil {
		return nil, err
	}
	var certificate any
	if c := s.sys.Certificate(); c != nil {
		certificate = c
	}
	return result(certifiedType, []any{record, certificate, witness}, nil)
}
