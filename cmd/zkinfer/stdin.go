package main

import (
	"context"
	"io"
	"sync"
)

// interruptible reads from in until the context ends; a terminal or a pipe that nobody writes to
// would block for ever. Once the context has ended, what is left of in may be lost.
type interruptible struct {
	ctx   context.Context
	in    io.Reader
	start sync.Once
	pipe  *io.PipeReader
}

func (r *interruptible) Read(b []byte) (int, error) {
	r.start.Do(func() {
		reader, writer := io.Pipe()
		r.pipe = reader
		context.AfterFunc(r.ctx, func() { reader.CloseWithError(r.ctx.Err()) })
		go func() {
			_, err := io.Copy(writer, r.in)
			writer.CloseWithError(err) // nil is the end of the file
		}()
	})
	return r.pipe.Read(b)
}
