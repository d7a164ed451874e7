namespace NicHost.Virtio.Net;

/// <summary>One chain of receive buffers that was taken from the ring.</summary>
internal unsafe struct RxChain
{
    /// <summary>First byte when the chain is one piece.</summary>
    public byte* Base;

    /// <summary>Bytes of the whole chain.</summary>
    public uint Length;

    /// <summary>Names the chain.</summary>
    public ushort Head;

    /// <summary>Which available entry it came from.</summary>
    public ushort Position;

    /// <summary>How many pieces; chains of more than one are walked again when they are used.</summary>
    public int Pieces;
}

/// <summary>
/// Chains taken from the rx ring and not yet used, oldest first. Taking a chain costs a walk; keeping it here makes a reservation that is
/// committed short, or released, cost nothing. Cursor: the first chain that no open reservation holds.
/// </summary>
internal sealed unsafe class RxChains
{
    private RxChain[] _chains = [];
    private uint _mask;
    private uint _head;
    private uint _cursor;
    private uint _tail;

    public int Count => (int)(_tail - _head);

    /// <summary>Chains that no reservation holds.</summary>
    public int Free => (int)(_tail - _cursor);

    /// <summary>Empties it and makes room for a ring of <paramref name="size"/>, which bounds the chains in flight.</summary>
    public void Reset(int size)
    {
        if (_chains.Length != size) _chains = new RxChain[size];
        _mask = (uint)size - 1;
        _head = _cursor = _tail = 0;
    }

    /// <summary>The chain <paramref name="index"/> places after the cursor.</summary>
    public ref RxChain AtCursor(int index) => ref _chains[(_cursor + (uint)index) & _mask];

    /// <summary>The chain <paramref name="index"/> places after the oldest.</summary>
    public ref RxChain AtHead(int index) => ref _chains[(_head + (uint)index) & _mask];

    public void Add(in RxChain chain) => _chains[_tail++ & _mask] = chain;

    public void Reserve(int count) => _cursor += (uint)count;

    /// <summary>
    /// Ends the oldest reservation: <paramref name="used"/> of its <paramref name="reserved"/> chains are gone, the others free again.
    /// With other reservations open these others go to the end: the ring need not be used in order then.
    /// </summary>
    public void Retire(int reserved, int used, bool othersOpen)
    {
        if (!othersOpen)
        {
            _head += (uint)used;
            _cursor = _head;
            return;
        }
        for (var i = used; i < reserved; i++) _chains[_tail++ & _mask] = AtHead(i);
        _head += (uint)reserved;
    }

    /// <summary>
    /// Splits what is left into chains that can be given back to the ring as if never taken (the newest available entries without a gap) and
    /// those that cannot, because a newer entry was used before them.
    /// </summary>
    /// <param name="next">The ring's next available entry.</param>
    /// <param name="stranded">Called with the head of each chain that cannot be given back.</param>
    /// <returns>How many entries to give back.</returns>
    public int GiveBack(ushort next, Action<ushort> stranded)
    {
        var left = new bool[_chains.Length];
        for (var i = 0; i < Count; i++) left[AtHead(i).Position & _mask] = true;
        var back = 0;
        while (back < Count && left[(ushort)(next - 1 - back) & _mask]) back++;
        for (var i = 0; i < Count; i++)
        {
            ref readonly var chain = ref AtHead(i);
            if ((ushort)(next - 1 - chain.Position) >= back) stranded(chain.Head);
        }
        _head = _cursor = _tail;
        return back;
    }
}

/// <summary>An open reservation.</summary>
internal struct RxReservation
{
    /// <summary>Chains that it holds; 0 for one in the bounce buffer.</summary>
    public int Chains;

    /// <summary>Bytes reserved.</summary>
    public int Length;

    /// <summary>Whether the frame is filled into the bounce buffer first.</summary>
    public bool Bounced;
}
