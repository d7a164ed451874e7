namespace NicHost.NetVsp.Net;

/// <summary>
/// The sections of the receive buffer that one queue may fill. Each knows whether the guest has it, so that a completion of what was not sent
/// is found out. A packet may carry several sections: they come back together, chained behind the first.
/// </summary>
internal sealed class SectionPool
{
    private const int Free = -1;
    private const int Reserved = -2;
    private const int ChainEnd = -3;
    private const int Foreign = -4;

    private readonly Stack<int> _free = new();
    private int[] _state = [];

    // What each section is: free, reserved, another queue's, or sent: then the number of the next one of its packet.
    private bool[] _isFirst = [];

    /// <summary>Sections that can be reserved.</summary>
    public int Available => _free.Count;

    /// <summary>Sections that this queue owns.</summary>
    public int Owned { get; private set; }

    /// <summary>Forgets everything and takes over the sections of a range of <paramref name="total"/>.</summary>
    public void Reset(int total, int first, int count)
    {
        _state = new int[total];
        _isFirst = new bool[total];
        _free.Clear();
        _free.EnsureCapacity(total);
        Array.Fill(_state, Foreign);
        Owned = 0;
        for (var i = first + count - 1; i >= first; i--) Adopt(i);
    }

    /// <summary>Takes a section from another queue.</summary>
    public void Adopt(int section)
    {
        _state[section] = Free;
        _free.Push(section);
        Owned++;
    }

    /// <summary>Gives a free section away for good.</summary>
    public int Cede()
    {
        var section = _free.Pop();
        _state[section] = Foreign;
        Owned--;
        return section;
    }

    /// <summary>Takes a free section. There is one.</summary>
    public int Take()
    {
        var section = _free.Pop();
        _state[section] = Reserved;
        return section;
    }

    /// <summary>Gives a section back that was not sent.</summary>
    public void Return(int section)
    {
        _state[section] = Free;
        _free.Push(section);
    }

    /// <summary>Gives a reserved section to another queue, which sends it, for a free one of its own. It has one.</summary>
    public void Exchange(int section, SectionPool other)
    {
        _state[section] = Foreign;
        other._state[section] = Reserved;
        var free = other._free.Pop();
        other._state[free] = Foreign;
        Return(free);
    }

    /// <summary>Notes that the guest gets these sections with one packet, named by the first.</summary>
    public void Sent(ReadOnlySpan<int> sections)
    {
        _isFirst[sections[0]] = true;
        for (var i = 0; i < sections.Length; i++) _state[sections[i]] = i + 1 < sections.Length ? sections[i + 1] : ChainEnd;
    }

    /// <summary>The guest gives a packet's sections back.</summary>
    /// <returns>False when it does not have such a packet.</returns>
    public bool Complete(ulong transaction)
    {
        if (transaction >= (ulong)_state.Length || !_isFirst[transaction]) return false;
        _isFirst[transaction] = false;
        for (var section = (int)transaction; section >= 0;)
        {
            var next = _state[section];
            Return(section);
            section = next;
        }
        return true;
    }
}
