// A server of TLS in .NET with a certificate of LocalMachine\My, as an application has it.
using System;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;

static class Program
{
    static int Main(string[] arguments)
    {
        try { return Run(arguments); }
        catch (Exception problem) // before Wine's debugger prints pages
        {
            Say(problem.ToString());
            return 1;
        }
    }

    static int Run(string[] arguments)
    {
        if (arguments.Length == 3 && arguments[0] == "look") return Look(arguments[1], arguments[2]);
        if (arguments.Length == 3 && arguments[0] == "trust") return Trust(arguments[1], arguments[2]);
        if (arguments.Length == 3 && arguments[0] == "serve") return Serve(int.Parse(arguments[1]), arguments[2]);
        Say("usage: look THUMBPRINT NAME | trust THUMBPRINT ROOT | serve PORT NAME");
        return 2;
    }

    static void Say(string text)
    {
        Console.WriteLine("dotnet: " + text);
        Console.Out.Flush();
    }

    static X509Certificate2Collection Find(StoreName store, X509FindType by, string value)
    {
        using (var opened = new X509Store(store, StoreLocation.LocalMachine))
        {
            opened.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
            return opened.Certificates.Find(by, value, validOnly: false);
        }
    }

    // Look finds a certificate by its thumbprint and by its name, and uses its key.
    static int Look(string thumbprint, string name)
    {
        var byThumbprint = Find(StoreName.My, X509FindType.FindByThumbprint, thumbprint).Cast<X509Certificate2>().Single();
        var byName = Find(StoreName.My, X509FindType.FindBySubjectName, name).Cast<X509Certificate2>().Single();
        Say("found by name " + byName.Thumbprint);
        Say("has its key " + byThumbprint.HasPrivateKey);
        byte[] message = Encoding.UTF8.GetBytes("signed by .NET"), signature;
        using (var key = byThumbprint.GetRSAPrivateKey())
            signature = key.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using (var key = byName.GetRSAPublicKey())
            Say("verified " + key.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        return 0;
    }

    // Trust builds the chain of a certificate. A machine may get its roots after its programs have started.
    static int Trust(string thumbprint, string root)
    {
        for (int tries = 0; tries < 600; tries++, Thread.Sleep(100))
        {
            bool found = Find(StoreName.Root, X509FindType.FindByThumbprint, root).Count > 0;
            if (tries == 0) Say("looks for the root");
            if (found) break;
        }
        using (var chain = new X509Chain(useMachineContext: true))
        {
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // the test's authority has no list
            bool built = chain.Build(Find(StoreName.My, X509FindType.FindByThumbprint, thumbprint)[0]);
            Say("trusts it " + built + " " + string.Join(" ", chain.ChainStatus.Select(one => one.Status)));
            Say("chain " + string.Join(" ", chain.ChainElements.Cast<X509ChainElement>().Select(one => one.Certificate.Thumbprint)));
            return 0;
        }
    }

    // Serve looks for the newest certificate of a name before each connection.
    static int Serve(int port, string name)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        Say("serves");
        for (;;)
        {
            using (var client = listener.AcceptTcpClient())
            {
                client.ReceiveTimeout = 10000; // milliseconds
                try { Answer(client, name); }
                catch (Exception problem) { Say("a connection: " + problem); }
            }
        }
    }

    static void Answer(TcpClient client, string name)
    {
        var certificate = Find(StoreName.My, X509FindType.FindBySubjectName, name).Cast<X509Certificate2>()
            .Where(one => one.HasPrivateKey).OrderByDescending(one => one.NotAfter).First();
        using (var stream = new SslStream(client.GetStream()))
        {
            stream.AuthenticateAsServer(certificate, clientCertificateRequired: false, enabledSslProtocols: SslProtocols.Tls12,
                checkCertificateRevocation: false);
            stream.Read(new byte[256], 0, 256);
            byte[] answer = Encoding.UTF8.GetBytes("served by " + certificate.Thumbprint + "\n");
            stream.Write(answer, 0, answer.Length);
            stream.ShutdownAsync().Wait(); // to close it does not say goodbye
            Say("served with " + certificate.Thumbprint);
        }
    }
}
