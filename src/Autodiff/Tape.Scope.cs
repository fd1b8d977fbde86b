namespace Marl.Native;

public sealed partial class Tape
{
    /// <summary>The scope of a <see cref="Step"/> or of <see cref="NoGrad"/>.</summary>
    public readonly ref struct Scope
    {
        private readonly Tape tape;
        private readonly bool recordingBefore;
        private readonly int count, inputCount, savedCount, low, high, depth;

        internal Scope(Tape tape, bool recording)
        {
            this.tape = tape;
            recordingBefore = tape.recording;
            (count, inputCount, savedCount) = (tape.count, tape.inputCount, tape.savedCount);
            (low, high) = (tape.values.Low, tape.values.High);
            tape.recording = recording;
            depth = ++tape.depth;
        }

        /// <summary>
        /// Ends the scope and returns the value of x. It lives until the enclosing scope ends or, without one, until the next scope begins. All other memory of
        /// the scope is freed.
        /// </summary>
        /// <exception cref="InvalidOperationException">The scope has ended.</exception>
        public Tensor Keep(Var x) => Keep(x.Value);

        /// <inheritdoc cref="Keep(Var)"/>
        public Tensor Keep(Tensor x)
        {
            if (tape.depth < depth)
            {
                throw new InvalidOperationException("Keep: the scope has ended; only one result can be kept");
            }
            // Allocate where the scratch memory of this scope begins, unless x overlaps it.
            int top = tape.values.High;
            tape.values.Release(tape.values.Low, high);
            var kept = tape.values.AllocateHigh(x.Shape);
            if (kept.Storage == x.Storage && x.Offset < kept.Offset + kept.Count && kept.Offset < x.Offset + x.Count)
            {
                tape.values.Release(tape.values.Low, top);
                kept = tape.values.AllocateHigh(x.Shape);
            }
            x.CopyTo(kept);
            End(tape.values.High);
            return kept;
        }

        /// <summary>Ends the scope, unless <see cref="Keep(Var)"/> has. Values recorded in it become invalid, and its memory is freed.</summary>
        public void Dispose()
        {
            if (tape.depth >= depth)
            {
                End(high);
            }
        }

        private void End(int top)
        {
            tape.recording = recordingBefore;
            (tape.count, tape.inputCount, tape.savedCount) = (count, inputCount, savedCount);
            tape.values.Release(low, top);
            tape.depth = depth - 1;
        }
    }
}
