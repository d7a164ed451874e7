using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>The switch that a TAP is a port of. Calls are set-up work, on the NIC's first loop.</summary>
internal interface ISwitch
{
    string Name { get; }

    /// <summary>Whether frames have to be whole before the switch sees them: checksums, segments.</summary>
    bool TakesWholeFramesOnly { get; }

    /// <summary>Finds the switch, or makes it.</summary>
    /// <exception cref="IOException">It is not there, or the kernel refuses.</exception>
    void Ensure(Rtnl rtnl, MadeThings made);

    /// <summary>Makes a TAP a port, unless it is one.</summary>
    /// <exception cref="IOException">It is another's port, or the kernel refuses, or the NIC does not fit.</exception>
    void Plug(Rtnl rtnl, MadeThings made, LinkInfo tap);

    /// <summary>Why no frame gets from the TAP into the switch; null when they do.</summary>
    /// <param name="rtnl">Asks the kernel.</param>
    /// <param name="made">For a port that is made again because the switch was.</param>
    /// <param name="tap">The TAP as it is now.</param>
    string? Obstacle(Rtnl rtnl, MadeThings made, LinkInfo tap);
}
