using System.Runtime.InteropServices;
using NicHost.Host.Plugins;
using NicHost.Host.Plugins.Preflight;
using NicHost.Linux;

namespace NicHost.Host.Tests.Plugins.Preflight;

/// <summary>Native libraries of a plugin, beside it and below runtimes/.</summary>
public sealed class NativeTests : IDisposable
{
    private static readonly string Here = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
    private static readonly string There = Here == "x64" ? "arm64" : "x64";

    private readonly PluginRoot _root = new();

    public NativeTests() => _root.Write("P/1.0.0/P.dll", new SyntheticAssembly("P").Build());

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("libx.so")]
    [InlineData("libx.so.1.2")]
    [InlineData("runtimes/RID/native/libx.so")]
    [InlineData("runtimes/unix/native/libx.so")]
    public void Library_for_this_machine_is_taken_and_one_for_another_is_not(string path)
    {
        path = path.Replace("RID", RuntimeIds.Here, StringComparison.Ordinal);
        Assert.Null(Refusal(path, new SyntheticLibrary()));
        Assert.Equal($"{path} is built for {There}, this host runs on {Here}. Take the build for {RuntimeIds.Here}.", Refusal(path, new SyntheticLibrary { Machine = SyntheticLibrary.Elsewhere }));
    }

    [Fact]
    public void Library_below_runtimes_of_another_machine_is_nobodys_business() =>
        Assert.Null(Refusal($"runtimes/linux-{There}/native/libx.so", new SyntheticLibrary { Machine = SyntheticLibrary.Elsewhere }));

    [Fact]
    public void Library_for_another_C_library_or_system_is_refused()
    {
        Assert.Equal($"libx.so needs musl, this host runs on glibc. Take the build for {RuntimeIds.Here}.", Refusal("libx.so", new SyntheticLibrary { Needed = ["libc.musl-x86_64.so.1"] }));
        Assert.Equal($"libx.so is built for another system than Linux (ELF OSABI 9). Take the build for {RuntimeIds.Here}.", Refusal("libx.so", new SyntheticLibrary { OperatingSystem = 9 }));
        Assert.Equal($"libx.so is built for a 32-bit or big-endian machine, this host runs on {Here}. Take the build for {RuntimeIds.Here}.", Refusal("libx.so", new SyntheticLibrary { Class = 1 }));
    }

    [Fact]
    public void Library_that_wants_a_newer_glibc_is_refused()
    {
        Assert.Null(Refusal("libx.so", new SyntheticLibrary { Versions = ["GLIBC_2.2.5", $"GLIBC_{ThisProcess.GlibcVersion}", "GLIBC_PRIVATE"] }));
        Assert.Equal($"libx.so needs glibc 9.9, this machine has {ThisProcess.GlibcVersion}. Take one that is built on an older system.",
            Refusal("libx.so", new SyntheticLibrary { Versions = ["GLIBC_2.2.5", "GLIBC_9.9"] }));
    }

    [Fact]
    public void Library_of_another_systems_format_is_refused_unless_it_has_a_sibling_for_this_one()
    {
        Assert.Equal($"x.dll is a Windows library, this host runs on Linux. Put the build for {RuntimeIds.Here} there.", Refusal("x.dll", NativeWindows()));
        _root.Write("P/1.0.0/libx.so", new SyntheticLibrary().Build());
        Assert.Null(Check());
        Assert.Equal($"liby.so is a macOS library, this host runs on Linux. Put the build for {RuntimeIds.Here} there.", Refusal("liby.so", [0xcf, 0xfa, 0xed, 0xfe, 0, 0]));
        Assert.Equal($"liby.so is no library, this host runs on Linux. Put the build for {RuntimeIds.Here} there.", Refusal("liby.so", []));
    }

    [Fact]
    public void Library_that_is_cut_off_anywhere_is_refused()
    {
        var whole = new SyntheticLibrary { Needed = ["libc.so.6", "libm.so.6"] }.Build();
        for (var length = 4; length < whole.Length; length++)
            Assert.StartsWith($"libx.so is cut off: it has {length} of at least ", Refusal("libx.so", whole[..length])!, StringComparison.Ordinal);
    }

    [Fact]
    public void Library_of_any_bytes_does_no_harm()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var whole = new SyntheticLibrary().Build();
        for (var i = 0; i < 2000; i++)
        {
            var bytes = whole.ToArray();
            for (var j = random.Next(1, 20); j > 0; j--) bytes[random.Next(4, bytes.Length)] = (byte)random.Next(256);
            _root.Write("P/1.0.0/libx.so", bytes);
            _ = ElfFile.Read(_root.At("P/1.0.0/libx.so")) ?? throw new InvalidOperationException($"seed {seed}, round {i}");
        }
    }

    [Fact]
    public void Libraries_of_this_machine_are_read_as_the_system_has_them()
    {
        var library = ElfFile.Read(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.Native.so"))!;
        Assert.False(library.IsCutOff);
        Assert.Equal(SyntheticLibrary.Here, library.Machine);
        Assert.Contains("libc.so.6", library.Needed);
        Assert.InRange(library.Glibc!, new Version(2, 2), ThisProcess.GlibcVersion!);
    }

    private static byte[] NativeWindows()
    {
        // The .NET part of the header taken away: entry 14 of the optional header's directories.
        var bytes = new SyntheticAssembly("x").Build();
        var header = BitConverter.ToInt32(bytes, 0x3c);
        bytes.AsSpan(header + 24 + 96 + (14 * 8), 8).Clear();
        return bytes;
    }

    private string? Refusal(string path, SyntheticLibrary library) => Refusal(path, library.Build());

    private string? Refusal(string path, byte[] bytes)
    {
        _root.Write($"P/1.0.0/{path}", bytes);
        return Check();
    }

    private string? Check() => PluginPreflight.Check(new PluginFolder("P", "1.0.0", _root.At("P/1.0.0")), null).Refusal;
}
