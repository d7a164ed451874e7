namespace NicHost.Host.Machines;

/// <summary>Where a NIC is in its life.</summary>
internal enum NicState
{
    /// <summary>Being made.</summary>
    Starting,

    /// <summary>Serves, or waits for a VMM.</summary>
    Running,

    /// <summary>Ended by a fault; it will be made anew.</summary>
    Faulted,

    /// <summary>Ended because the host stops.</summary>
    Stopped,
}
