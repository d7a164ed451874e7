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

    /// <summary>Ended by faults so often that it is left alone until somebody restarts it or changes it.</summary>
    GivenUp,

    /// <summary>Taken out for a change that is being made.</summary>
    Changing,

    /// <summary>Ended because it was removed or the host stops.</summary>
    Stopped,
}
