namespace Samples.Switch.Fabric;

/// <summary>
/// A thread that ports run on: an event loop, as far as a plugin can tell them apart. Ports of one lane hand frames to each other in place,
/// those of different lanes through a ring.
/// </summary>
internal sealed class Lane
{
    /// <summary>The most loops that the host has.</summary>
    public const int Most = 256;

    private static readonly Lock Gate = new();
    private static readonly bool[] Taken = new bool[Most];

    [ThreadStatic]
    private static Lane? t_current;

    private readonly List<Inlet> _touched = new(64);
    private int _ports;

    private Lane(int index) => Index = index;

    /// <summary>Its number, 0 to <see cref="Most"/> − 1, for as long as it has a port.</summary>
    public int Index { get; }

    /// <summary>The lane of this thread, for one more port.</summary>
    /// <exception cref="InvalidOperationException">More threads than a host has loops.</exception>
    public static Lane Enter()
    {
        lock (Gate)
        {
            // Without a port its number may be another's by now.
            if (t_current is not { _ports: > 0 } lane)
            {
                var index = Array.IndexOf(Taken, false);
                if (index < 0) throw new InvalidOperationException($"Ports on more than {Most} threads.");
                Taken[index] = true;
                t_current = lane = new Lane(index);
            }
            lane._ports++;
            return lane;
        }
    }

    public void Exit()
    {
        lock (Gate)
        {
            if (--_ports == 0) Taken[Index] = false;
        }
    }

    /// <summary>Notes that a port was given something, to be told when the batch is through.</summary>
    public void Touch(Inlet inlet)
    {
        if (inlet.IsTouched) return;
        inlet.IsTouched = true;
        _touched.Add(inlet);
    }

    /// <summary>Tells the ports: once per batch, not once per frame.</summary>
    public void Announce()
    {
        foreach (var inlet in _touched)
        {
            inlet.IsTouched = false;
            inlet.Port.Announce(this);
        }
        _touched.Clear();
    }
}
