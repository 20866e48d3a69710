package service

import (
	"errors"
	"fmt"

	"github.com/zkinfer/zkinfer/verifier"
	"github.com/zkinfer/zkinfer/verifier/canister/internal/candid"
)

// refusal is what a caller did wrong, by the name of its case in Error.
type refusal struct{ class, message string }

func (r *refusal) Error() string { return r.message }

func refuse(class, format string, args ...any) error {
	return &refusal{class, fmt.Sprintf(format, args...)}
}

// class is the case of Error for err, "" for nil and for errors that are no answer.
func class(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.class
	}
	if c := verifier.Class(err); c != "failure" {
		return c
	}
	return ""
}

// result answers with a variant of ok and err. An error that is no caller's, such as full memory, is the
// system's: it undoes what the message did so far.
func result(t *candid.Type, value any, err error) ([]byte, error) {
	answer := candid.Variant(f("ok", t), f("err", errorType))
	c := candid.Case{Name: "ok", Value: value}
	if err != nil {
		name := class(err)
		if name == "" {
			return nil, err
		}
		c = candid.Case{Name: "err", Value: candid.Case{Name: name, Value: err.Error()}}
	}
	return candid.Encode([]*candid.Type{answer}, []any{c}), nil
}
