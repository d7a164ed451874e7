namespace NicHost.Host.Commands;

/// <summary>What the process ends with. Few, so that scripts can tell apart what they can act on.</summary>
internal static class ExitCode
{
    /// <summary>Done, nothing to complain about.</summary>
    public const int Fine = 0;

    /// <summary>What was asked about has faults: a topology, a plugin, a name that is not there, a check that fails.</summary>
    public const int Faults = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No host answers on the control socket.</summary>
    public const int NoHost = 3;

    /// <summary>The host could not start, for example because another one has the control socket.</summary>
    public const int NotStarted = 4;
}
