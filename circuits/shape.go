package circuits

// Shape counts what a proof's time and a key's size are made of.
type Shape struct {
	Constraints int
	Public      int   // public inputs, S included
	Committed   []int // wires of each commitment, its mask not counted
	Trace       int   // wires of small values
	Columns     int   // folded parameters: full-size values
	TableRows   int   // rows of tables; each has a multiplicity in the trace
	TableCells  int   // entries of those rows
	Inverses    int   // wires of lookups and of table rows: full-size values
	Sums        int   // wires of the linear layers' running sums: full-size values
	FoldRows    int   // points of the model commitment
	// StatementBytes are the bytes of public tensors and of commitments to private ones.
	StatementBytes int
	FoldedElements int // field elements that tensors bound by their fold are packed into
}

// Shape is known without building the circuit. Inverses and Sums are off by a few a layer.
func (p *Plan) Shape() Shape {
	s := Shape{Constraints: p.Constraints, Public: 1, Trace: p.TraceWires, Columns: p.Columns, FoldRows: p.FoldRows}
	for _, l := range p.linears {
		s.Sums += l.constraints()
	}
	packed := 0
	for _, b := range p.borders {
		s.StatementBytes += b.statementBytes()
		switch b.binding {
		case Packed:
			s.Public += b.elements()
			packed += b.elements()
		case Folded:
			s.FoldedElements += b.elements()
			s.Sums += b.elements()
		case Committed:
			if !b.input {
				packed += b.count
			}
		}
	}
	s.Sums += p.FixedCost
	s.TableRows = p.TableCost - len(p.tables.list)
	for _, t := range p.tables.list {
		s.TableCells += t.rows() * len(t.columns)
	}
	s.Inverses = p.Constraints - s.Sums - packed - len(p.tables.list)
	for _, o := range p.Objects() {
		s.Committed = append(s.Committed, p.objectSize(o))
	}
	return s
}

// objectSize is the number of wires that a commitment holds.
func (p *Plan) objectSize(o Object) int {
	switch o.Kind {
	case TraceObject:
		return p.TraceWires
	case ParameterObject:
		if p.FoldsTensors() {
			return p.Columns + 1
		}
		return p.Columns
	}
	i := o.Tensor
	if o.Output {
		i += len(p.graph.Inputs)
	}
	return p.borders[i].count
}

// statementBytes is what the statement shows of a tensor.
func (b *border) statementBytes() int {
	if b.binding == Committed {
		return 64
	}
	return b.count * int(b.width)
}
