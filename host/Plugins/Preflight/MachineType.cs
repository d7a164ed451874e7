using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Which machine an assembly is built for.</summary>
internal static class MachineType
{
    // Code compiled ahead carries the machine's number xor the operating system's.
    private static readonly ushort[] OperatingSystems = [0, 0x7B79 /* Linux */, 0x4644 /* Apple */, 0xADC4 /* FreeBSD */];

    /// <summary>Says what is wrong, after the name of the file; null when it runs here.</summary>
    public static string? Misfit(PEHeaders headers)
    {
        var flags = headers.CorHeader!.Flags;
        var ahead = (flags & CorFlags.ILLibrary) != 0;
        if ((flags & CorFlags.ILOnly) == 0 && !ahead) return "holds Windows machine code. Build it as pure .NET.";
        if ((flags & CorFlags.Requires32Bit) != 0) return "is built for 32 bits. Build it for any CPU.";
        var machine = (ushort)headers.CoffHeader.Machine;
        // Any CPU looks like this.
        if (machine == (ushort)Machine.I386) return null;
        var built = OperatingSystems.Select(system => (Machine)(machine ^ system)).Select(Name).FirstOrDefault(name => name is not null);
        var here = Name(RuntimeInformation.ProcessArchitecture);
        return built == here ? null : $"is built for {built ?? $"machine 0x{machine:x4}"}, this host runs on {here}. Build it for any CPU.";
    }

    public static string Name(Architecture architecture) => architecture.ToString().ToLowerInvariant();

    private static string? Name(Machine machine) => machine switch
    {
        Machine.Amd64 => Name(Architecture.X64),
        Machine.Arm64 => Name(Architecture.Arm64),
        Machine.Arm or Machine.ArmThumb2 => Name(Architecture.Arm),
        Machine.RiscV64 => Name(Architecture.RiscV64),
        Machine.LoongArch64 => Name(Architecture.LoongArch64),
        _ => null,
    };
}
