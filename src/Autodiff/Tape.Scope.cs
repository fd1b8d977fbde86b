namespace Marl.Native;

public sealed partial class Tape
{
    /// <summary>The extent of a step or of a stretch without history; dispose of it at its end.</summary>
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

        /// <summary>Ends the scope with a result: the value of x, without its history, lives until the surrounding scope ends, or until the next one
        /// begins where there is none around. All else is given back.</summary>
        public Tensor Keep(Var x) => Keep(x.Value);

        /// <inheritdoc cref="Keep(Var)"/>
        public Tensor Keep(Tensor x)
        {
            if (tape.depth < depth)
            {
                throw new InvalidOperationException("Keep: the scope has ended; it keeps one result");
            }
            // At the top, where the scope's own scratch begins, unless x itself is there.
            int top = tape.values.High;
            tape.values.Release(tape.values.Low, high);
            var kept = tape.values.TakeHigh(x.Shape);
            if (kept.Storage == x.Storage && x.Offset < kept.Offset + kept.Count && kept.Offset < x.Offset + x.Count)
            {
                tape.values.Release(tape.values.Low, top);
                kept = tape.values.TakeHigh(x.Shape);
            }
            x.CopyTo(kept);
            End(tape.values.High);
            return kept;
        }

        /// <summary>Ends the scope, if <see cref="Keep(Var)"/> has not: handles made in it become invalid, its memory is given back.</summary>
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
