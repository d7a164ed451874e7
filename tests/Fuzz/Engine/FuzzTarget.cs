namespace NicHost.Fuzz.Engine;

/// <summary>
/// Something of ours that has to stand any bytes. <see cref="Run"/> throws when an invariant is broken, whatever the exception: none is
/// allowed to come out.
/// </summary>
internal abstract class FuzzTarget : IDisposable
{
    /// <summary>Name on the command line and folder of the corpus.</summary>
    public abstract string Name { get; }

    /// <summary>Bytes of an input at most.</summary>
    public virtual int MaxLength => 2048;

    /// <summary>Pieces that random bytes would hardly hit.</summary>
    public virtual IReadOnlyList<byte[]> Dictionary => [];

    /// <summary>Valid inputs to start from; written to the corpus by <c>--write-seeds</c>.</summary>
    public abstract IEnumerable<(string Name, byte[] Bytes)> Seeds();

    /// <summary>Takes one input from a fresh state.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Breaks the run.</summary>
    protected static void Require(bool condition, string what)
    {
        if (!condition) throw new InvariantException(what);
    }
}

/// <summary>A stated invariant does not hold.</summary>
internal sealed class InvariantException(string message) : Exception(message);
